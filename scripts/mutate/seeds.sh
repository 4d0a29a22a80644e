#!/usr/bin/env bash
# Makes the certificates that the mutations start from, anew: testdata.
# Keys are thrown away. The files are kept in the tree, so that a mutation has a number
# that means the same bytes everywhere; whoever runs this changes all of them.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/testdata
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

nbbs='/C=DE/O=Provider/OU=Unit/L=Berlin/CN=Batch Signer/emailAddress=pki@example.de'
tls='/C=DE/O=Provider/OU=Unit/CN=efgs.example.de/emailAddress=pki@example.de'
dates=(-days 400 -sha256)

# self NAME SUBJECT KEYFILE [options of openssl req]
self() {
	local name=$1 subject=$2 key=$3
	shift 3
	openssl req -x509 -new -key "$key" -subj "$subject" -multivalue-rdn "${dates[@]}" -config plain.cnf -extensions none \
		-addext keyUsage=critical,digitalSignature -out "$out/$name.pem" "$@"
}
# issued NAME SUBJECT KEYFILE EXTENSIONS: by the CA below.
issued() {
	openssl req -new -key "$3" -subj "$2" -config plain.cnf -out req.pem
	openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -set_serial "0x4a$(openssl rand -hex 12)" "${dates[@]}" -extfile <(printf '%b' "$4") -out "$out/$1.pem"
}
ec() { openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$1" -pkeyopt "ec_param_enc:${2:-named_curve}" -out "$1.key"; }
rsa() { openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$1" -out "rsa$1.key"; }

printf '[req]\ndistinguished_name=dn\n[dn]\n[none]\n' >plain.cnf
for curve in P-256 P-384 P-521 brainpoolP256r1 secp256k1 sect283k1; do ec "$curve"; done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out explicit.key
rsa 3072
rsa 2048
openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:3072 -pkeyopt dsa_paramgen_q_bits:256 -out dsa.params
openssl genpkey -paramfile dsa.params -out dsa.key
openssl genpkey -algorithm ED25519 -out ed25519.key

self nbbs-p256 "$nbbs" P-256.key
self nbbs-p384 "$nbbs" P-384.key
self nbbs-p521 "$nbbs" P-521.key
self nbbs-brainpool "$nbbs" brainpoolP256r1.key
self nbbs-secp256k1 "$nbbs" secp256k1.key
self nbbs-binary "$nbbs" sect283k1.key
self nbbs-explicit "$nbbs" explicit.key
self nbbs-dsa "$nbbs" dsa.key
self nbbs-ed25519 "$nbbs" ed25519.key
self nbbs-rsa "$nbbs" rsa3072.key
self nbbs-pss "$nbbs" rsa3072.key -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
self nbbs-pss-odd "$nbbs" rsa3072.key -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -sigopt rsa_mgf1_md:sha512
self nbbs-multivalue '/C=DE+O=Müller, Söhne/OU=a=b/CN=<Name>+CN=Ministère' P-256.key -utf8
self efgsta '/C=BE/O=European Commission/CN=EU Federation Gateway Service' rsa3072.key
self nbtls-self "$tls" rsa2048.key -addext extendedKeyUsage=clientAuth,serverAuth -addext 'subjectAltName=DNS:*.example.de,IP:192.0.2.1,email:a@b.de,URI:https://b.de/x'
openssl req -new -key rsa2048.key -subj "$nbbs" -config plain.cnf -out v1.req
openssl x509 -req -in v1.req -signkey rsa2048.key -days 3000 -sha1 -out "$out/nbbs-v1.pem"

openssl req -x509 -new -newkey rsa:3072 -noenc -keyout ca.key -subj '/C=DE/O=Public CA/CN=Issuing CA 1' -days 3000 -config plain.cnf -extensions none \
	-addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash \
	-addext 'nameConstraints=permitted;DNS:example.de,excluded;IP:10.0.0.0/255.0.0.0' -out ca.pem
cp ca.pem "$out/ca.pem"
full='keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=DNS:efgs.example.de\nbasicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer\ncertificatePolicies=2.23.140.1.2.2,1.2.3.4\nauthorityInfoAccess=OCSP;URI:http://ocsp.example.de,caIssuers;URI:http://ca.example.de/ca.crt\ncrlDistributionPoints=URI:http://ca.example.de/ca.crl\n'
issued nbtls-rsa "$tls" rsa3072.key "$full"
issued nbtls-p256 "$tls" P-256.key "$full"
issued efgstls '/C=BE/O=European Commission/CN=efgs.example.eu' P-384.key "${full/efgs.example.de/efgs.example.eu}"
issued nbbs-issued "$nbbs" P-256.key 'keyUsage=digitalSignature\nnsComment=x\n1.2.3.4=critical,ASN1:NULL\n'

# The CA's list, which is evidence and no seed.
touch index.txt
printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=number\ncrl_extensions=list\n[list]\nauthorityKeyIdentifier=keyid\n' >ca.cnf
echo 01 >number
openssl ca -config ca.cnf -gencrl -cert ca.pem -keyfile ca.key -crldays 3000 -out list.pem
openssl crl -in list.pem -outform DER -out "$out/list.crl"

# Containers, as DER: a request, a PKCS#7 of certificates, a PKCS#12 without its key.
openssl req -new -key P-256.key -subj "$nbbs" -config plain.cnf -addext keyUsage=digitalSignature -outform DER -out "$out/request.der"
openssl crl2pkcs7 -nocrl -certfile "$out/nbtls-p256.pem" -certfile ca.pem -outform DER -out "$out/chain.der"
openssl pkcs12 -export -nokeys -in "$out/nbbs-p256.pem" -passout pass: -out "$out/pkcs12.der"
