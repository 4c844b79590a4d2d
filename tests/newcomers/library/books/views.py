from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from .models import Book


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "is_lent"]


class BookViewSet(viewsets.ModelViewSet):
    queryset = Book.objects.order_by("id")
    serializer_class = BookSerializer

    @action(detail=True, methods=["post"])
    def lend(self, request, pk):
        book = self.get_object()
        if book.is_lent:
            raise ValidationError({"is_lent": "It is lent already."})
        book.is_lent = True
        book.save()
        return Response(self.get_serializer(book).data)

    @action(detail=False)
    def broken(self, request):
        raise RuntimeError("the shelf fell over")
