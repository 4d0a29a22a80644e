package vet

import "github.com/efgsta/efgsta/pkg/cert"

// ruleOneCert is the one rule about files that pkg/vet decides itself.
const ruleOneCert = "EFGS-004"

// ruleCanonical is another one, of the gateway's family.
const ruleCanonical = "EFGS-706"

const ruleWrongType = "EFGS-005"

// The rules about the file of waivers.
const (
	ruleWaiverUnusable  = "EFGS-008"
	ruleWaiverUnmatched = "EFGS-009"
)

// fileRules: the file that a certificate comes in. pkg/cert finds what is wrong; here it gets its rule.
func fileRules() []Rule {
	return []Rule{{
		ID: "EFGS-001", Name: "unreadable", Clause: "Governance 3.2", Roles: all(), Path: "file", problem: cert.ProblemUnreadable,
		Title: "everything in the file that says it is a certificate can be decoded",
		Why:   "what cannot be read cannot be vetted",
		Fix:   "export the certificate again: openssl x509 -in FILE -out out.pem",
		Good:  "PEM or DER as openssl writes it", Bad: "a PEM cut short by a mail program",
	}, {
		ID: "EFGS-002", Name: "pem-count", Clause: "Governance 3.2", Roles: all(), Path: "file", problem: cert.ProblemMarkers,
		Title: "every BEGIN marker in the file yields a block for usual readers",
		Why:   "many programs silently skip a block behind a byte order mark, or two joined without a newline",
		Fix:   "save as plain ASCII with each marker on a line of its own",
		Good:  "one block after the other", Bad: "-----END CERTIFICATE----------BEGIN CERTIFICATE-----",
		Implies: []string{"EFGS-706"},
	}, {
		ID: "EFGS-003", Name: "private-key-in-file", Clause: "Governance 2.2, 2.3", Roles: all(), Path: "file", problem: cert.ProblemPrivateKey, NeverWaivable: true,
		Title: "the file holds no private key",
		Why:   "each member state protects its private keys; one that has travelled in a file is to be treated as compromised",
		Fix:   "treat the key as compromised: make a new key pair and send the certificate alone",
		Good:  "certificates only", Bad: "-----BEGIN PRIVATE KEY-----",
		Implies: []string{"EFGS-706"},
	}, {
		ID: ruleOneCert, Name: "one-cert-expected", Clause: "Governance 3.2", Roles: all(), Path: "file",
		Title: "the file holds no chain certificates beside the one that is submitted",
		Why:   "whoever takes the first certificate of the file may take a CA's; here they are told apart and not vetted",
		Fix:   "send the certificate alone: openssl x509 -in FILE -out leaf.pem takes the first",
		Good:  "one certificate", Bad: "certificate, intermediate and root in one file",
		Implies: []string{"EFGS-706"},
	}, {
		ID: ruleWrongType, Name: "wrong-type", Clause: "Governance 3.2", Roles: all(), Path: "file", problem: cert.ProblemWrongType,
		Title: "the file holds certificates, not requests, lists or containers of another kind",
		Why:   "a request is not yet a certificate",
		Fix:   "send the certificate that was issued",
		Good:  "-----BEGIN CERTIFICATE-----", Bad: "-----BEGIN CERTIFICATE REQUEST-----",
	}, {
		ID: "EFGS-006", Name: "no-certificate", Clause: "Governance 3.2", Roles: all(), Path: "file", problem: cert.ProblemNoCertificate,
		Title: "the file holds a certificate",
		Why:   "there is nothing to vet otherwise",
		Fix:   "name the file that holds the certificate",
		Good:  "a PEM or DER certificate", Bad: "an empty file",
	}, {
		ID: "EFGS-007", Name: "password", Clause: "Governance 3.2", Roles: all(), Path: "file", problem: cert.ProblemPassword,
		Title: "everything in the file that is encrypted can be opened",
		Why:   "what stays closed is not vetted, and may be a private key",
		Fix:   "give the password that came by another way: --password-file FILE; or send the certificates as they are, they are no secret",
		Good:  "a PKCS#12 or zip archive with its password", Bad: "one without, or with the wrong one",
		Implies: []string{"EFGS-706"},
	}, {
		ID: ruleWaiverUnusable, Name: "waiver-unusable", Clause: "practice", Roles: all(), Path: "waivers",
		Title: "every waiver still holds, and is about a rule that can be waived",
		Why:   "an exception ends on its day; nothing excuses a private key that was found, another country, a shared, weak or compromised key, a bad self-signature, or a CA certificate",
		Fix:   "mend what it excused and take the waiver out, or have its owner decide anew",
		Good:  "expires: a day to come", Bad: "expires: a day gone by; rule: EFGS-820 for a CA certificate",
	}, {
		ID: ruleWaiverUnmatched, Name: "waiver-unmatched", Clause: "practice", Roles: all(), Path: "waivers",
		Title: "every waiver excuses something that was found",
		Why:   "an exception that nothing needs any more would hide the next fault of the same kind",
		Fix:   "take the waiver out; if it should meet something, compare rule and thumbprint with efgsta check --format json",
		Good:  "rule and thumbprint of a finding of this run", Bad: "the thumbprint of a certificate that was replaced",
	}}
}
