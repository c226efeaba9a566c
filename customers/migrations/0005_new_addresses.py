"""A new address waits beside the proven one; links are counted per address; mails are taken in turns of merchants."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_mails_and_merges"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="pending_email",
            field=models.EmailField(blank=True, default="", max_length=254, verbose_name="new e-mail"),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="magiclink",
            index=models.Index(fields=["merchant", "address", "-created_at"], name="customers_link_to"),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["merchant", "due_at"], name="customers_mail_turns"
            ),
        ),
    ]
