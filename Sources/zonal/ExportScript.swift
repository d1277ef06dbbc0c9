/// The script that users run in each account to get what `zonal import aws` reads.
enum ExportScript {
    static var lines: [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static let text = #"""
        #!/bin/sh
        # Exports what `zonal import aws` reads, for the account and Region of the AWS CLI's configuration.
        # Usage: sh export.sh DIR; run it once an account, with AWS_PROFILE set. It only describes.
        set -eu

        account=$(aws sts get-caller-identity --query Account --output text)
        into="${1:?usage: export.sh DIR}/account-$account"
        mkdir -p "$into"

        # A call that this AWS CLI, account or server does not have leaves no file.
        describe() {
            name=$1
            shift
            if ! aws ec2 "$@" --output json > "$into/$name.json.part"; then
                echo "passed over: aws ec2 $*" >&2
                rm -f "$into/$name.json.part"
                return
            fi
            mv "$into/$name.json.part" "$into/$name.json"
        }

        describe describe-availability-zones describe-availability-zones
        describe describe-vpcs describe-vpcs
        describe describe-subnets describe-subnets
        describe describe-network-interfaces describe-network-interfaces
        describe describe-vpc-endpoints describe-vpc-endpoints
        describe describe-vpc-endpoint-associations describe-vpc-endpoint-associations
        describe describe-vpc-endpoint-services describe-vpc-endpoint-services
        describe describe-vpc-endpoint-service-configurations describe-vpc-endpoint-service-configurations
        describe describe-prefix-lists describe-prefix-lists
        describe describe-route-tables describe-route-tables

        for vpc in $(aws ec2 describe-vpcs --query 'Vpcs[].VpcId' --output text); do
            for attribute in enableDnsSupport enableDnsHostnames; do
                describe "describe-vpc-attribute.$attribute.$vpc" describe-vpc-attribute --vpc-id "$vpc" --attribute "$attribute"
            done
        done
        echo "exported to $into" >&2
        """#
}
