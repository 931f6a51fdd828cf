"""The file overrides the defaults, the command line overrides the file, in any order."""

from course.testing.command import ADVICE_BY_EXCEPTION, CommandCase

NO_FILE = "read a file only if options.config is not empty; without --config it is empty"
FILE = (
    "parse_config_file(options.config) reads the file that --config names.\n"
    "Give the application the name after all sources are read; see config_file.py"
)
IMPORT = (
    "a name is not known: from tornado.options import parse_config_file\nat the top of the file"
)
PARSER = (
    "only read() in config_file.py has the name parser. Here call parse_command_line()\n"
    "and parse_config_file() of tornado.options; the file is options.config"
)
DEFINED = "main(): the option is defined already: leave the three lines with define() as they are"
# The first of these texts that the program has written decides.
NAMES = {
    "name 'parse_config_file'": IMPORT,
    "name 'parser'": PARSER,
    "already defined": DEFINED,
} | ADVICE_BY_EXCEPTION
LAST = (
    "the source that sets an option last wins: read the command line for --config,\n"
    "then the file, then the command line once more; see read() in config_file.py"
)
FILE_PORT = (
    "--config=north.conf names a file with a port, and the command line has none:\n"
    "the program must serve on the port of the file, not on its default"
)
# A program that has a fixed name of a file, or a default, reads this one.
OTHER = 'name = "Bell Rock"\n'


class FileAndLine(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "light.conf").write_text(OTHER, encoding="utf-8")

    def test_without_config_no_file_is_read(self) -> None:
        self.start(advice=NO_FILE, advice_by_error=NAMES)
        self.send("GET", "/").expect(status=200, text="Eddystone", advice=NO_FILE)

    def test_config_comes_before_an_option(self) -> None:
        # With --port a program that does not read the file takes no port that others may use.
        self.write("north.conf", 'name = "Skerryvore"\n')
        self.start("--config=north.conf", advice=FILE, advice_by_error=NAMES)
        self.send("GET", "/").expect(status=200, text="Skerryvore", advice=FILE)
        port = self.free_port()
        self.write("north.conf", f'port = {port}\nname = "Skerryvore"\n')
        advice_by_error = NAMES | {"Address already in use": FILE_PORT}
        self.start(
            "--config=north.conf",
            "--name=Fastnet",
            port=port,
            advice=FILE_PORT,
            advice_by_error=advice_by_error,
        )
        answer = self.send("GET", "/")
        advice = LAST if "Skerryvore" in answer.text else FILE
        answer.expect(status=200, text="Fastnet", advice=advice)

    def test_config_comes_after_an_option(self) -> None:
        port = self.free_port()
        self.write("north.conf", f'port = {self.free_port()}\nname = "Skerryvore"\n')
        advice_by_error = NAMES | {"Error": FILE}
        self.start(
            f"--port={port}",
            "--config=north.conf",
            port=port,
            advice=LAST,
            advice_by_error=advice_by_error,
        )
        self.send("GET", "/").expect(status=200, text="Skerryvore", advice=FILE)
