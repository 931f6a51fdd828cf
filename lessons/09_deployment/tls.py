"""TLS with a certificate of your own: which clients accept it, and what the application sees.

Run it:  python3 learn.py run 09/tls
The same by a command:  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out certificate.pem
"""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


def make_certificate(folder: Path) -> None:
    """Write key.pem, readable only by its owner, and a certificate.pem that the key signs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)  # signed by its own key
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").touch(0o600)
    (folder / "key.pem").write_bytes(secret)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


class SchemeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol}\n")


def make_app() -> tornado.web.Application:
    """Make an application that returns the scheme of the request."""
    return tornado.web.Application([(r"/", SchemeHandler)])


async def ask(port: int, trusted: str | None) -> str:
    """Return what a client gets that trusts this certificate, or only those of its system."""
    try:
        answer = await AsyncHTTPClient().fetch(f"https://localhost:{port}/", ca_certs=trusted)
    except ssl.SSLCertVerificationError as error:
        return f"refused: {error.verify_message}"
    return f"{answer.code} {answer.body.decode().strip()}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")

    with tempfile.TemporaryDirectory() as name:
        make_certificate(Path(name))
        certificate = str(Path(name, "certificate.pem"))
        # region server
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, Path(name, "key.pem"))
        server = tornado.httpserver.HTTPServer(make_app(), ssl_options=context)
        # endregion
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        print("a client without the certificate: ", await ask(port, None))
        print("a client with the certificate:    ", await ask(port, certificate))
    print(f"With TLS: https://localhost:{port}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
