"""The `kafka` settings' certificates as Python's ssl wants them, for aiokafka and for diagnosis."""

import ssl

from config.wires import KafkaSettings


def tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """None where the wire has no TLS. The settings have checked that the files can be used."""
    if not settings.has_tls:
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file is not None:
        password = settings.key_password
        context.load_cert_chain(
            settings.certificate_file,
            settings.key_file,
            # A function, as OpenSSL asks at the terminal where there is none.
            password=lambda: password.get_secret_value() if password else "",
        )
    return context
