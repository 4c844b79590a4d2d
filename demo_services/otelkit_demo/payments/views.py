"""The payments API: authorise, then capture or void, and refund what was captured."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import ClassVar

import structlog
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit.patterns.idempotency import idempotent
from otelkit_demo.chassis.api import IDEMPOTENCY_KEY, caller_of, refusal
from otelkit_demo.payments import till
from otelkit_demo.payments.models import Payment
from otelkit_demo.payments.provider import DeclinedError
from otelkit_demo.payments.serializers import Charge, PaymentOut

log = structlog.get_logger(__name__)

WRITE = "payments:write"


class Payments(APIView):
    """``POST /payments``."""

    scopes: ClassVar = {"POST": WRITE}

    @extend_schema(request=Charge, parameters=[IDEMPOTENCY_KEY], responses={200: PaymentOut, 201: PaymentOut}, operation_id="authorise")
    @method_decorator(idempotent(cache="shared", scope=caller_of))
    def post(self, request: Request) -> Response:
        """201 with an authorised payment, 200 with the earlier one for the same reference; 402 where the bank declines."""
        asked = Charge(data=request.data)
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        try:
            payment, is_new = till.authorise(wish["reference"], wish["amount"], wish["currency"])
        except DeclinedError as error:
            log.warning("payment declined", reference=str(wish["reference"]), amount=wish["amount"])
            return refusal(HTTPStatus.PAYMENT_REQUIRED, f"{error}.")
        if payment.state == Payment.State.DECLINED:
            return refusal(HTTPStatus.PAYMENT_REQUIRED, "The bank declined this payment before.")
        if is_new:
            log.info("payment authorised", payment_id=str(payment.pk), amount=payment.amount)
        return Response(PaymentOut(payment).data, status=HTTPStatus.CREATED if is_new else HTTPStatus.OK)


class OnePayment(APIView):
    """``GET /payments/{pk}``; ``pk`` may be the reference, too."""

    scopes: ClassVar = {"GET": WRITE}

    @extend_schema(responses=PaymentOut, operation_id="read_payment")
    def get(self, _request: Request, pk: uuid.UUID) -> Response:
        """The payment, or 404."""
        try:
            return Response(PaymentOut(till.find(pk)).data)
        except till.NoPaymentError as error:
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")


class _Change(APIView):
    scopes: ClassVar = {"POST": WRITE}
    becomes: ClassVar[str]

    def _changed(self, pk: uuid.UUID) -> Response:
        try:
            payment, is_new = till.become(pk, self.becomes)
        except till.NoPaymentError as error:
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")
        except till.WrongStateError as error:
            return refusal(HTTPStatus.CONFLICT, f"{error}.")
        if is_new:
            log.info(f"payment {self.becomes}", payment_id=str(payment.pk), amount=payment.amount)
        return Response(PaymentOut(payment).data)


class Capture(_Change):
    """``POST /payments/{pk}/capture``."""

    becomes = Payment.State.CAPTURED

    @extend_schema(request=None, responses=PaymentOut, operation_id="capture")
    def post(self, _request: Request, pk: uuid.UUID) -> Response:
        """The payment, captured; 404, or 409 where it is not authorised."""
        return self._changed(pk)


class Void(_Change):
    """``POST /payments/{pk}/void``."""

    becomes = Payment.State.VOIDED

    @extend_schema(request=None, responses=PaymentOut, operation_id="void")
    def post(self, _request: Request, pk: uuid.UUID) -> Response:
        """The payment, voided; 404, or 409 where it is not authorised."""
        return self._changed(pk)


class Refund(_Change):
    """``POST /payments/{pk}/refund``."""

    becomes = Payment.State.REFUNDED

    @extend_schema(request=None, responses=PaymentOut, operation_id="refund")
    def post(self, _request: Request, pk: uuid.UUID) -> Response:
        """The payment, given back; 404, or 409 where it is not captured."""
        return self._changed(pk)
