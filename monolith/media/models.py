from django.db import models


class Blob(models.Model):
    """A file, kept in the row itself."""

    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    data = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self):
        return self.name


class Thumbnail(models.Model):
    """A smaller version of an image, made when somebody first asks for it."""

    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="thumbnails")
    width = models.PositiveSmallIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blob", "width"], name="media_thumbnail_width")]

    def __str__(self):
        return f"{self.blob} at {self.width} px"
