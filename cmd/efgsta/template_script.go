package main

import (
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

// opensslScript is all that the printed script depends on. Its strings are fit for
// an OpenSSL configuration, and none has a line end.
type opensslScript struct {
	role         vet.Role
	name         string // of the files
	country      string
	policy       string
	checkFlags   string // that check needs for the policy
	algorithm    anchorAlgorithm
	days         int
	life         string // days that the policy allows
	subject      []string
	extensions   []string
	dns, missing []string
}

func (s opensslScript) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	result, request := s.name+".pem", s.role == vet.NBTLS
	if request {
		result = s.name + ".csr"
	}
	line("# %s of %s by policy %s. Save this as %s.sh, read it, run: sh %s.sh", strings.ToUpper(s.name), s.country, s.policy, s.name, s.name)
	line("# It makes %s.cnf, %s.key (a secret: it never leaves you) and %s.", s.name, s.name, result)
	if len(s.missing) > 0 {
		line("# Not given, and so to be reported by efgsta check: %s", strings.Join(s.missing, ", "))
	}
	line("set -eu\nif [ -e %s.key ]; then echo '%s.key exists already' >&2; exit 1; fi\n", s.name, s.name)

	// Quoted, so that the shell leaves the text alone.
	line("cat > %s.cnf <<'END_OF_CONFIGURATION'", s.name)
	line("[req]\nprompt = no\nutf8 = yes\nstring_mask = utf8only\ndistinguished_name = subject")
	if request {
		line("req_extensions = extensions")
	} else {
		line("x509_extensions = extensions")
	}
	line("\n[subject]\n%s\n\n[extensions]\n%s", strings.Join(s.subject, "\n"), strings.Join(s.extensions, "\n"))
	if len(s.dns) > 0 {
		line("\n[names]")
		for i, name := range s.dns {
			line("DNS.%d = %s", i+1, name)
		}
	}
	line("END_OF_CONFIGURATION\n")

	line("# With -aes-256-cbc the key is protected by a passphrase.")
	line("(umask 077 && openssl genpkey %s -out %s.key)", s.keyOptions(), s.name)
	signing := fmt.Sprintf("-config %s.cnf -key %s.key %s", s.name, s.name, s.signOptions())
	if request {
		line("openssl req -new %s -out %s", signing, result)
		line("\n# Have a publicly trusted CA issue the certificate, for %s days by this policy. Then:", s.life)
	} else {
		line("# Again in the rare case that its SHA-256 begins with 00, which the gateway cannot match (EFGS-701).")
		line("while :; do")
		line("\topenssl req -new -x509 %s -days %d -out %s", signing, s.days, result)
		line("\topenssl x509 -in %s -noout -fingerprint -sha256 | grep -q =00: || break", result)
		line("done\n")
	}
	flags := ""
	if s.role != vet.EFGSTA {
		flags = " --country " + s.country
	}
	flags += s.checkFlags
	line("# efgsta check --type %s%s %s.pem", s.name, flags, s.name)
	return b.String()
}

func (s opensslScript) keyOptions() string {
	kind, size, _ := strings.Cut(s.algorithm.key, "-")
	if kind == "rsa" {
		return "-algorithm RSA -pkeyopt rsa_keygen_bits:" + size
	}
	return "-algorithm EC -pkeyopt ec_paramgen_curve:P-" + strings.TrimPrefix(size, "p") + " -pkeyopt ec_param_enc:named_curve"
}

func (s opensslScript) signOptions() string {
	hash := fmt.Sprintf("sha%d", s.algorithm.hash.Size()*8)
	if s.algorithm.scheme != sigalg.RSAPSS {
		return "-" + hash
	}
	return fmt.Sprintf("-%s -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:%d -sigopt rsa_mgf1_md:%s", hash, s.algorithm.hash.Size(), hash)
}
