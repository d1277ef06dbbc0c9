@main struct Zonal { static func main() {} }
