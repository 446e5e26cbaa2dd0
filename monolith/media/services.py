import hashlib
from io import BytesIO

from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from monolith.media.models import Blob, Thumbnail

WIDTHS = (160, 480)


def blob_store(*, name, content_type, data):
    """Keep a file; the same content is kept once."""
    digest = hashlib.sha256(data).hexdigest()
    blob, _ = Blob.objects.get_or_create(
        sha256=digest,
        defaults={"name": name, "content_type": content_type, "data": data, "created_at": timezone.now()},
    )
    return blob


def thumbnail_make(*, blob, width):
    """The image at `width` pixels, from the row where it was made before, else made now and kept."""
    if made := Thumbnail.objects.filter(blob=blob, width=width).first():
        return bytes(made.data)
    data = _scaled(bytes(blob.data), width)
    try:
        with transaction.atomic():
            Thumbnail.objects.create(blob=blob, width=width, data=data)
    except IntegrityError:
        pass  # somebody else asked for it at the same moment; both made the same
    return data


def _scaled(data, width):
    with Image.open(BytesIO(data)) as image:
        height = max(1, round(image.height * width / image.width))
        out = BytesIO()
        image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS).save(out, "JPEG", quality=82)
    return out.getvalue()
