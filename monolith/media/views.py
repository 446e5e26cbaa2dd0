from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from monolith.media.models import Blob
from monolith.media.services import WIDTHS, thumbnail_make


@require_safe
@cache_control(public=True, max_age=3600)
def original(request, pk):
    blob = get_object_or_404(Blob, pk=pk)
    return HttpResponse(bytes(blob.data), content_type=blob.content_type)


@require_safe
@cache_control(public=True, max_age=3600)
def thumbnail(request, pk, width):
    if width not in WIDTHS:
        raise Http404
    return HttpResponse(thumbnail_make(blob=get_object_or_404(Blob, pk=pk), width=width), content_type="image/jpeg")
