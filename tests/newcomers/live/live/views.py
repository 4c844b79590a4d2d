import asyncio

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse


async def score(request, game):
    await asyncio.sleep(0.01)
    return JsonResponse({"game": game, "score": [2, 1]})


async def events(request, game):
    async def pieces():
        for number in range(3):
            yield f"data: {game} {number}\n\n"
            await asyncio.sleep(0.02)

    return StreamingHttpResponse(pieces(), content_type="text/event-stream")


async def both(request):
    async def half(number):
        await asyncio.sleep(0.01)
        return number

    return JsonResponse({"halves": await asyncio.gather(half(1), half(2))})


def sync(request):
    return HttpResponse("sync, all the same")


async def broken(request):
    raise RuntimeError("the line is dead")
