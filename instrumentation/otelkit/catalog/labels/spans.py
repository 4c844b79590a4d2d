"""What only spans carry: values that are too many for a metric, or of use in a single trace. The Collector's labels for spans, too."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

SPAN_NAME = Label("span.name", "Name of the span. The Collector's.")
SPAN_KIND = Label(
    "span.kind",
    "Side of a call that the span is. The Collector's.",
    ("SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_INTERNAL", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"),
)
STATUS_CODE = Label("status.code", "Status of the span. The Collector's.", ("STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"))
MESSAGING_DESTINATION_NAME = Label("messaging.destination.name", "Queue, topic or exchange.")

HTTP_REQUEST_METHOD_ORIGINAL = Label("http.request.method_original", "Method as it was sent, where no RFC knows it.")
URL_PATH = Label("url.path", "Path without its query; what its pattern calls a token or a key is hidden.")
URL_FULL = Label("url.full", "Address that was called, without user, password and secret parts of the query.")
HTTP_REQUEST_RESEND_COUNT = Label("http.request.resend_count", "How often the call was sent before: redirects, retries, authentication.")
NETWORK_PROTOCOL_NAME = Label("network.protocol.name", "`websocket` where it is not HTTP.")
NETWORK_PROTOCOL_VERSION = Label("network.protocol.version", "Version of HTTP, like `1.1` or `2`.")
CLIENT_ADDRESS = Label("client.address", "Address of the client, in the form that `requests.client_address` chose; off by default.")
USER_AGENT_ORIGINAL = Label("user_agent.original", "First 256 characters of the User-Agent header.")
USER_ID = Label("user.id", "The user, where the request loaded it anyway, in the form that `requests.user_id` chose.")
CODE_FUNCTION_NAME = Label("code.function.name", "View (of a viewset: class and action), or the function that ran a query.")
CODE_FILE_PATH = Label("code.file.path", "File of the line that ran a slow or repeated query.")
CODE_LINE_NUMBER = Label("code.line.number", "That line.")
DB_QUERY_COUNT = Label("db.query.count", "Queries of the request. Ours.")
DB_QUERY_DUPLICATES = Label("db.query.duplicates", "Queries of the request whose statement ran more than once in it. Ours.")
DB_DURATION = Label("db.duration", "Seconds that the request spent on queries. Ours.")
DB_QUERY_TEXT = Label("db.query.text", "The statement, without its parameters.")
DB_QUERY_REPEATED_TEXT = Label("db.query.repeated.text", "Statement that an N+1 ran. Ours.")
DB_QUERY_REPEATED_COUNT = Label("db.query.repeated.count", "How often it ran. Ours.")
DB_OPERATION_BATCH_SIZE = Label("db.operation.batch.size", "Commands of a pipeline or a transaction.")
DB_RESPONSE_STATUS_CODE = Label("db.response.status_code", "The database's own code of the failure, like SQLSTATE.")
DJANGO_DB_ALIAS = Label("django.db.alias", "Alias of the database in Django's settings, where it is not `default`. Ours.")
REQUEST_QUEUE_MS = Label("django.request.queue_ms", "Milliseconds between the proxy and us. Ours.")
REQUEST_PHASE_MIDDLEWARE_MS = Label("django.request.phase.middleware_ms", "Milliseconds in middleware. Ours.")
REQUEST_PHASE_VIEW_MS = Label("django.request.phase.view_ms", "Milliseconds in the view itself. Ours.")
REQUEST_PHASE_DB_MS = Label("django.request.phase.db_ms", "Milliseconds in queries. Ours.")
REQUEST_PHASE_TEMPLATE_MS = Label("django.request.phase.template_ms", "Milliseconds in templates. Ours.")
REQUEST_PHASE_SERIALIZATION_MS = Label("django.request.phase.serialization_ms", "Milliseconds in serializers and renderers. Ours.")
REQUEST_PHASE_CACHE_MS = Label("django.request.phase.cache_ms", "Milliseconds in caches. Ours.")
REQUEST_PHASE_OUTBOUND_MS = Label("django.request.phase.outbound_ms", "Milliseconds in outbound calls. Ours.")
