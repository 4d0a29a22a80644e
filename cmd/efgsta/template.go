package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// templateFlags is what a member state says of itself.
type templateFlags struct {
	country, organization, unit, locality, name, email string

	dns       []string
	algorithm string
	days      int
	policy    string
}

func newTemplateCmd(a *app) *cobra.Command {
	var f templateFlags
	c := &cobra.Command{
		Use:   "template nbbs|nbtls|efgsta [flags]",
		Short: "Print what makes a conforming key and certificate with OpenSSL",
		Long: `template prints a shell script: an OpenSSL configuration by the templates of
governance 4.3 to 4.5, and the commands that make a key and with it a self-signed
certificate (nbbs, efgsta) or a request for a CA (nbtls). Nothing is run or written
here; the script replaces no key. What it makes passes efgsta check.

Fields that the policy wants and that are not given are named at its top. An nbbs
is signed with RSASSA-PSS, as governance 4.1 recommends; a request with PKCS#1 v1.5,
because the CA chooses the signature of the certificate; an efgsta too, because
the deployed gateway cannot verify RSASSA-PSS. In a workspace "anchor create" makes
the EFGSTA.`,
		Example: `  efgsta template nbbs --country DE --organization "Health Agency" --organizational-unit PKI \
      --locality Berlin --email pki@example.de > nbbs.sh && sh nbbs.sh
  efgsta template nbtls --country DE --organization "Health Agency" --dns efgs.example.de
  efgsta template nbbs --country DE --organization "Health Agency" --algorithm ecdsa-p256`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("efgsta template nbbs --country DE", "give one of nbbs, nbtls, efgsta")
			}
			return oneOf("type", args[0], "nbbs", "nbtls", "efgsta")
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := f.script(vet.Role(args[0]))
			if err != nil {
				return err
			}
			a.printf("%s", text)
			return nil
		},
	}
	c.Flags().StringVar(&f.country, "country", "", "member state `CC`; of an efgsta it is BE")
	c.Flags().StringVar(&f.organization, "organization", "", "organization (O)")
	c.Flags().StringVar(&f.unit, "organizational-unit", "", "organizational unit (OU)")
	c.Flags().StringVar(&f.locality, "locality", "", "locality (L)")
	c.Flags().StringVar(&f.name, "common-name", "", "common name (CN); default: the first --dns, or \"EFGS NBBS CC\"")
	c.Flags().StringVar(&f.email, "email", "", "contact `ADDRESS` (E)")
	repeatedVar(c, &f.dns, "dns", "nbtls: DNS `NAME`; may be repeated")
	c.Flags().StringVar(&f.algorithm, "algorithm", "", strings.Join(algorithmNames(), ", ")+"; default: rsa-pss-3072 for an nbbs, else rsa-3072")
	c.Flags().IntVar(&f.days, "days", 0, "life of a self-signed certificate; default: as long as the policy allows, less a day")
	c.Flags().StringVar(&f.policy, "policy", policy.Default, "policy `NAME|FILE`")
	return c
}

// script checks the flags and writes the shell script.
func (f templateFlags) script(role vet.Role) (string, error) {
	pol, err := loadPolicy(f.policy)
	if err != nil {
		return "", err
	}
	if _, err := newEngine(pol); err != nil {
		return "", err
	}
	if err := f.complete(role); err != nil {
		return "", err
	}
	i := slices.IndexFunc(anchorAlgorithms, func(alg anchorAlgorithm) bool { return alg.name == f.algorithm })
	if i < 0 {
		return "", usagef("one of: "+strings.Join(algorithmNames(), ", "), "--algorithm %q is not known", f.algorithm)
	}
	shortest, longest := pol.Effective("EFGS-201", string(role)).Params["days"], pol.Effective("EFGS-202", string(role)).Params["years"]*365
	switch {
	case f.days == 0:
		f.days = longest - 1 // a day short of where people count differently
	case role == vet.NBTLS:
		return "", usagef("ask the CA for it", "--days is for self-signed certificates: the CA decides")
	case f.days < shortest || f.days > longest:
		return "", usagef("", "--days %d is not between %d and %d, which policy %s wants", f.days, shortest, longest, pol.Name)
	}
	subject, missing, err := f.subject(role, pol)
	if err != nil {
		return "", err
	}
	s := opensslScript{
		role: role, name: string(role), country: f.country, policy: pol.Name, algorithm: anchorAlgorithms[i], days: f.days,
		life: fmt.Sprintf("%d to %d", shortest, longest-1), subject: subject, missing: missing,
		extensions: []string{"keyUsage = critical,digitalSignature"},
	}
	if role == vet.NBTLS {
		usage := "extendedKeyUsage = clientAuth,serverAuth"
		if pol.Effective("EFGS-405", string(role)).Severity[string(role)] != vet.SeverityError {
			usage = "extendedKeyUsage = serverAuth" // all that public CAs give under such a policy
		}
		s.extensions = append(s.extensions, usage, "subjectAltName = @names")
		s.dns = f.dns
	} else {
		s.extensions = append(s.extensions, "basicConstraints = critical,CA:FALSE", "subjectKeyIdentifier = hash")
	}
	if pol.File == "" && pol.Name != policy.Default {
		s.checkFlags = " --policy " + pol.Name
		if role == vet.NBTLS {
			s.checkFlags += " --roots mozilla" // deviations rest on a verified chain
		}
	}
	return s.text(), nil
}

// complete checks what the type wants and fills in what follows from it.
func (f *templateFlags) complete(role vet.Role) error {
	if len(f.dns) > 0 && role != vet.NBTLS {
		return usagef("", "--dns is for nbtls: a signing certificate has no DNS name")
	}
	algorithm := "rsa-3072"
	switch role {
	case vet.EFGSTA:
		if f.country != "" && f.country != "BE" || f.name != "" {
			return usagef("leave out --country and --common-name", "template 4.5 has C=BE and CN=%s", anchorName)
		}
		if f.unit != "" || f.locality != "" || f.email != "" {
			return usagef("give --organization only", "template 4.5 has CN, O and C only")
		}
		f.country, f.name = "BE", anchorName
	case vet.NBTLS:
		if len(f.dns) == 0 {
			return usagef("--dns efgs.example.de", "an nbtls needs its DNS name")
		}
		for _, name := range f.dns {
			if !hostName(name) {
				return usagef("such as efgs.example.de", "--dns %q is not a fully qualified host name", name)
			}
		}
		if f.name == "" {
			f.name = f.dns[0]
		}
	case vet.NBBS:
		algorithm = "rsa-pss-3072"
		if f.name == "" {
			f.name = "EFGS NBBS " + f.country
		}
	}
	if f.algorithm == "" {
		f.algorithm = algorithm
	}
	if len(f.country) != 2 || strings.Trim(f.country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return usagef("two capital letters, such as --country DE", "--country %q is not a country code", f.country)
	}
	return nil
}

// anchorName is the CN of template 4.5.
const anchorName = "EU Federation Gateway Service"

// subject is the attributes in the order of the templates, as lines of a
// configuration, and the flags that would add what the policy asks for.
func (f templateFlags) subject(role vet.Role, pol *policy.Policy) (lines, missing []string, err error) {
	if why := vet.CountryFault(f.country); why != "" && pol.Rules["EFGS-304"].Severity[string(role)] == vet.SeverityError {
		return nil, nil, usagef("give the ISO code of the member state", "--country: %s (EFGS-304)", why)
	}
	lines = []string{"C = " + f.country}
	for _, field := range []struct {
		flag, attribute, rule, value string
		max                          int // characters, by X.520 and OpenSSL
	}{
		{"locality", "L", "EFGS-310", f.locality, 128},
		{"organization", "O", "EFGS-307", f.organization, 64},
		{"organizational-unit", "OU", "EFGS-308", f.unit, 64},
		{"common-name", "CN", "EFGS-306", f.name, 64},
		{"email", "emailAddress", "EFGS-309", f.email, 128},
	} {
		word := pol.Effective(field.rule, string(role)).Severity[string(role)]
		switch {
		case field.value == "" && word == vet.SeverityError:
			return nil, nil, usagef("", "--%s is missing: %s wants it (%s)", field.flag, pol.Name, field.rule)
		case field.value == "" && word != "off":
			missing = append(missing, fmt.Sprintf("--%s (%s %s)", field.flag, field.rule, word))
		case field.value == "":
		case !singleLine(field.value):
			return nil, nil, usagef("", "--%s has characters that do not show, or blanks around it", field.flag)
		case role == vet.NBTLS && strings.ContainsAny(field.value, `,=%+"`):
			return nil, nil, usagef(`leave out , = % + and "`, "the gateway would misread --%s %q (EFGS-702)", field.flag, field.value)
		case utf8.RuneCountInString(field.value) > field.max:
			return nil, nil, usagef("", "--%s is longer than %d characters", field.flag, field.max)
		default:
			lines = append(lines, field.attribute+" = "+configValue(field.value))
		}
	}
	return lines, missing, nil
}

// singleLine: what shows as itself and keeps its blanks in a configuration.
func singleLine(s string) bool {
	plain := strings.ReplaceAll(s, `\`, "")
	return report.Escape(plain) == plain && strings.TrimSpace(s) == s
}

// configValue escapes what a value in an OpenSSL configuration could be taken for.
func configValue(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\\"'`$#;", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hostName: letters, digits and hyphens in two labels or more. A wildcard would be warned of.
func hostName(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" ||
			strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") {
			return false
		}
	}
	return len(labels) > 1 && len(s) <= 253
}
