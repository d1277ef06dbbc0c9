import Control
import TestSupport
import Testing

/// Commands must find a server whose configuration files are invalid now.
@Suite struct `The place of the control socket` {
    private func path(_ files: [String: String]) -> String? {
        ConfigurationLoader(
            loader: TableLoader(files: files.mapValues { Array($0.utf8) }),
            system: SystemResolvers([])
        ).controlPath(path: "etc/zonal.yaml")
    }

    @Test(arguments: [
        "control: c.sock\nzones: [\n", "zones: [\ncontrol: c.sock\n",
        "\tzones: 1\ncontrol: 'c.sock'\n",
        "control: c.sock # here\n: : {\n", "{ control: c.sock, zones: [",
        "a: \"\ncontrol: \"c.sock\"\n",
        "control: c.sock\ncontrol: c.sock\n", "\u{FEFF}control: c.sock\nzones: {\n",
        "wokers: 2\ncontrol: c.sock\n",
    ])
    func `is found in a file with a syntax error`(text: String) {
        #expect(path(["etc/zonal.yaml": text]) == "etc/c.sock")
    }

    @Test(arguments: ["include: more/a.yaml\nzones: [\n", "include: [b.yaml, more/a.yaml]\nx: {\n"])
    func `is found in an included file beside an invalid one`(text: String) {
        let included = "control: c.sock\nvpcs: [\n"
        #expect(path(["etc/zonal.yaml": text, "etc/more/a.yaml": included]) == "etc/more/c.sock")
    }

    @Test(arguments: [
        "zones: [\n", "a: { control: c.sock }\nzones: [\n", "list: [control, c.sock\n",
        "control:\n",
        "include: zonal.yaml\nzones: [\n", "# control: c.sock\nzones: [\n",
    ])
    func `is nil if no file sets it`(text: String) {
        #expect(path(["etc/zonal.yaml": text]) == nil)
    }
}
