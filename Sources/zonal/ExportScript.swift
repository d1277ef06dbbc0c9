/// The shell script that exports an AWS account for `zonal import aws`.
enum ExportScript {
    static var lines: [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static let text = #"""
        #!/bin/sh
        # Exports the input of `zonal import aws` from the AWS CLI's current account and Region.
        # Usage: sh export.sh DIR; run it once per account, with AWS_PROFILE set. It changes nothing in AWS.
        set -eu

        account=$(aws sts get-caller-identity --query Account --output text)
        into="${1:?usage: export.sh DIR}/account-$account"
        mkdir -p "$into"

        # A call that fails leaves no file: this AWS CLI version or account may not support it.
        describe() {
            name=$1
            shift
            if ! aws ec2 "$@" --output json > "$into/$name.json.part"; then
                echo "skipped: aws ec2 $*" >&2
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
