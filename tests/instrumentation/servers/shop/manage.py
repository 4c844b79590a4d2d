import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts the tests in the background has it ignored
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.instrumentation.servers.shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
