"""What the platform may switch per merchant: own cards, PINs asked again, opt-in, stops."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0002_tenancy"),
    ]

    operations = [
        migrations.AddField(
            model_name="merchantsettings",
            name="ask_pin_again",
            field=models.BooleanField(default=False, verbose_name="ask for the PIN again to redeem and correct"),
        ),
        migrations.AddField(
            model_name="merchantsettings",
            name="double_opt_in",
            field=models.BooleanField(default=True, verbose_name="consents by mail need a confirmation"),
        ),
        migrations.AddField(
            model_name="merchantsettings",
            name="enrollment_suspended",
            field=models.BooleanField(default=False, verbose_name="new enrolments stopped by the platform"),
        ),
        migrations.AddField(
            model_name="merchantsettings",
            name="messages_suspended",
            field=models.BooleanField(default=False, verbose_name="messages stopped by the platform"),
        ),
        migrations.AddField(
            model_name="merchantsettings",
            name="own_card_policy",
            field=models.CharField(
                choices=[("refuse", "Refuse it"), ("allow", "Allow and log it")],
                default="refuse",
                max_length=8,
                verbose_name="staff at their own card",
            ),
        ),
    ]
