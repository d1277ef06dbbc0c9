import FoundationEssentials

/// Finds the JSON files below folders and reads them.
struct ExportReader {
    private let journal: ConfigurationJournal
    /// Called after each file, with the number of files read and of all files.
    private let progress: (_ done: Int, _ all: Int) -> Void
    /// The pages of each call in each folder: how many announce another page, and how many there
    /// are.
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

    /// Reads every `.json` file in and below `folders`.
    mutating func read(_ folders: [String]) {
        let files = folders.flatMap(self.files)
        for (index, file) in files.enumerated() {
            read(file)
            progress(index + 1, files.count)
        }
        reportMissingPages()
    }

    private func reportMissingPages() {
        for (key, pages) in pages.sorted(by: { $0.key < $1.key }) where pages.followed >= pages.all
        {
            journal.error(
                at: SourcePlace(file: pages.lastFollowed),
                "the last page of \(key.kind) is missing: NextToken announces another page; export without --max-items, or add the missing pages"
            )
        }
    }

    private func files(in folder: String) -> [String] {
        var isFolder: Bool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder
        else {
            journal.error(
                at: SourcePlace(file: folder),
                "is not a folder; name the folders with the JSON files"
            )
            return []
        }
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        let files = names.filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
        if files.isEmpty {
            journal.error(
                at: SourcePlace(file: folder),
                "contains no .json file; `zonal import aws --print-script` prints a script that exports them"
            )
        }
        return files
    }

    /// Reads files from memory, given as octets by path.
    mutating func read(_ files: [String: [UInt8]]) {
        for (file, octets) in files.sorted(by: { $0.key < $1.key }) { read(octets, of: file) }
        reportMissingPages()
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
                "has more objects than an AWS export of this size can have; export it again with --output json"
            )
        }
        let page: EC2.Page
        do {
            page = try EC2.decoder().decode(EC2.Page.self, from: Data(octets))
        } catch let error as DecodingError {
            return journal.error(at: place, "\(error.message); export it again with --output json")
        } catch {
            return journal.error(at: place, "\(error); export it again with --output json")
        }
        guard let kind = page.kind else {
            return journal.warning(at: place, "contains nothing that is imported; skipped")
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

    /// Returns the key by which files are grouped: the account in the path, else the folder.
    private static func unit(of file: String) -> String {
        account(in: file) ?? String(file.prefix(upTo: file.lastIndex(of: "/") ?? file.startIndex))
    }

    /// Returns the last account ID in the path: exactly twelve digits.
    static func account(in path: String) -> String? {
        path.split { !($0.isASCII && ($0.isNumber || $0.isLetter)) }
            .last { $0.utf8.count == 12 && $0.allSatisfy(\.isNumber) }
            .map(String.init)
    }
}

/// The exported objects of one account, each with the file that it comes from.
struct AccountExport {
    /// The account ID in the paths of the files.
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

    /// An object and the file that contains it.
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

    /// The account: the one in the path, else the owner of the endpoints, else the owner of most
    /// VPCs.
    ///
    /// The value is not checked for the form of an account ID yet.
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
