"""The file wins over the defaults, the command line over the file, in whatever order."""

from course.command_case import CommandCase

FILE = "parse_config_file(options.config), if options.config is not empty; see config_file.py"
LAST = (
    "the last to set an option wins: read the command line for --config, then the file,\n"
    "then the command line once more; see read() in config_file.py"
)


class FileAndLine(CommandCase):
    def test_without_a_file_the_command_line_counts(self) -> None:
        self.start("--name=Fastnet", look=FILE)
        self.send("GET", "/").expect(status=200, body="Fastnet", look=FILE)

    def test_the_file_wins_over_the_defaults(self) -> None:
        port = self.free_port()
        self.write("light.conf", f'port = {port}\nname = "Skerryvore"\n')
        self.start("--config=light.conf", port=port, look=FILE)
        self.send("GET", "/").expect(status=200, body="Skerryvore", look=FILE)

    def test_the_command_line_wins_over_the_file(self) -> None:
        port = self.free_port()
        self.write("light.conf", f'port = {self.free_port()}\nname = "Skerryvore"\n')
        order = ["--config=light.conf", f"--port={port}"]
        for arguments in (order, order[::-1]):
            with self.subTest(arguments):
                self.start(*arguments, port=port, look=LAST)
                self.send("GET", "/").expect(status=200, body="Skerryvore", look=FILE)
