import FoundationEssentials

/// Finds the JSON files below some folders, and reads them.
struct ExportReader {
    private let journal: ConfigurationJournal
    /// Is told of each file that has been read, and how many there are.
    private let progress: (_ done: Int, _ all: Int) -> Void
    /// Pages of one call in one folder: those that another page follows, and all.
    private var pages: [PageKey: (followed: Int, all: Int, lastFollowed: String)] = [:]
    private(set) var exports: [String: AccountExport] = [:]

    private struct PageKey: Hashable, Comparable {
        var unit: String
        var kind: String

        static func < (left: PageKey, right: PageKey) -> Bool {
            (left.unit, left.kind) < (right.unit, right.kind)
        }
    }

    init(_ journal: ConfigurationJournal, progress: @escaping (Int, Int) -> Void) {
        self.journal = journal
        self.progress = progress
    }

    /// Reads every `.json` file in `folders` and below them.
    mutating func read(_ folders: [String]) {
        let files = folders.flatMap(self.files)
        for (index, file) in files.enumerated() {
            read(file)
            progress(index + 1, files.count)
        }
        tellMissingPages()
    }

    private func tellMissingPages() {
        for (key, pages) in pages.sorted(by: { $0.key < $1.key }) where pages.followed >= pages.all
        {
            journal.error(
                at: SourcePlace(file: pages.lastFollowed),
                "the last page of \(key.kind) is missing: NextToken says that more follows; export it without --max-items, or add the other pages"
            )
        }
    }

    private func files(in folder: String) -> [String] {
        var isFolder: Bool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder
        else {
            journal.error(
                at: SourcePlace(file: folder),
                "is not a folder; name the folders that hold the JSON files"
            )
            return []
        }
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        let files = names.filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
        if files.isEmpty {
            journal.error(
                at: SourcePlace(file: folder),
                "holds no .json file; `zonal import aws --print-script` prints a script that makes them"
            )
        }
        return files
    }

    /// Reads files that are in memory, octets by path.
    mutating func read(_ files: [String: [UInt8]]) {
        for (file, octets) in files.sorted(by: { $0.key < $1.key }) { read(octets, of: file) }
        tellMissingPages()
    }

    private mutating func read(_ file: String) {
        do {
            read(try DiskFileLoader().octets(of: file), of: file)
        } catch {
            let place = SourcePlace(file: file)
            journal.error(at: place, "\(error); name a file that can be read")
        }
    }

    private mutating func read(_ octets: [UInt8], of file: String) {
        let place = SourcePlace(file: file)
        guard !JSONDensity.isExcessive(octets) else {
            return journal.error(
                at: place,
                "holds more objects than an export of this size does; export it again with --output json"
            )
        }
        let page: EC2.Page
        do {
            page = try EC2.decoder().decode(EC2.Page.self, from: Data(octets))
        } catch let error as DecodingError {
            return journal.error(at: place, "\(error.told); export it again with --output json")
        } catch {
            return journal.error(at: place, "\(error); export it again with --output json")
        }
        guard let kind = page.kind else {
            return journal.warning(at: place, "holds nothing that is imported; it is passed over")
        }
        let unit = Self.unit(of: file)
        note(page, PageKey(unit: unit, kind: kind), file)
        var export = exports[unit] ?? AccountExport()
        if let account = Self.account(in: file) { export.accountInPath = account }
        export.add(page, from: file, journal)
        exports[unit] = export
    }

    private mutating func note(_ page: EC2.Page, _ key: PageKey, _ file: String) {
        guard key.kind != "attribute" else { return }
        let known = pages[key] ?? (0, 0, file)
        let isFollowed = page.nextToken.map { !$0.isEmpty } ?? false
        pages[key] = (
            known.followed + (isFollowed ? 1 : 0), known.all + 1,
            isFollowed ? file : known.lastFollowed
        )
    }

    /// What belongs together: the files of an account that their paths name, else those of a folder.
    private static func unit(of file: String) -> String {
        account(in: file) ?? String(file.prefix(upTo: file.lastIndex(of: "/") ?? file.startIndex))
    }

    /// The account ID that a path names last: twelve digits and no more.
    static func account(in path: String) -> String? {
        path.split { !($0.isASCII && ($0.isNumber || $0.isLetter)) }
            .last { $0.utf8.count == 12 && $0.allSatisfy(\.isNumber) }
            .map(String.init)
    }
}

/// What one account's export holds, each thing with the file that it came from.
struct AccountExport {
    /// The account that the files' paths name.
    var accountInPath: String?
    var azs: [Found<EC2.AvailabilityZone>] = []
    var vpcs: [Found<EC2.VPC>] = []
    var subnets: [Found<EC2.Subnet>] = []
    var interfaces: [Found<EC2.NetworkInterface>] = []
    var endpoints: [Found<EC2.Endpoint>] = []
    var associations: [Found<EC2.Association>] = []
    var services: [Found<EC2.Service>] = []
    var configurations: [Found<EC2.ServiceConfiguration>] = []
    var prefixLists: [Found<EC2.PrefixList>] = []
    var routeTables: [Found<EC2.RouteTable>] = []
    var dnsSupport: [String: Bool] = [:]
    var dnsHostnames: [String: Bool] = [:]

    /// Something, and the file that says it.
    struct Found<Element> {
        var value: Element
        var file: String
    }

    mutating func add(_ page: EC2.Page, from file: String, _ journal: ConfigurationJournal) {
        func sound<Element>(_ list: [Lenient<Element>]?) -> [Found<Element>] {
            (list ?? []).enumerated().compactMap { index, element in
                switch element.result {
                case .success(let value): return Found(value: value, file: file)
                case .failure(let fault):
                    let subject = fault.id ?? "element \(index + 1)"
                    journal.error(
                        at: SourcePlace(file: file),
                        "\(subject.shown): \(fault.message); export it again"
                    )
                    return nil
                }
            }
        }
        azs += sound(page.availabilityZones)
        vpcs += sound(page.vpcs)
        subnets += sound(page.subnets)
        interfaces += sound(page.networkInterfaces)
        endpoints += sound(page.vpcEndpoints)
        associations += sound(page.vpcEndpointAssociations)
        services += sound(page.serviceDetails)
        configurations += sound(page.serviceConfigurations)
        prefixLists += sound(page.prefixLists)
        routeTables += sound(page.routeTables)
        if let vpc = page.vpcId {
            if let value = page.enableDnsSupport?.value { dnsSupport[vpc] = value }
            if let value = page.enableDnsHostnames?.value { dnsHostnames[vpc] = value }
        }
    }

    /// The account: what the path says, else who owns the endpoints, else who owns most of the VPCs.
    ///
    /// Whether it has the form of one is not known yet.
    var account: Found<String>? {
        if let accountInPath { return Found(value: accountInPath, file: accountInPath) }
        let owners = endpoints.lazy.compactMap { endpoint in
            endpoint.value.ownerId.map { Found(value: $0, file: endpoint.file) }
        }
        if let owner = owners.first { return owner }
        let vpcsByOwner = Dictionary(grouping: vpcs) { $0.value.ownerId ?? "" }
            .filter { !$0.key.isEmpty }
        let most = vpcsByOwner.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        return most.flatMap { owner, vpcs in
            vpcs.first.map { Found(value: owner, file: $0.file) }
        }
    }
}
