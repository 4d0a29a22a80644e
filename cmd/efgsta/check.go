package main

import (
	"errors"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

type checkFlags struct {
	role, country, policy, at string
	format, failOn, out       string
	require                   []string
	known                     withFlags
	within                    string
	jobs                      int
	waivers                   string
	quiet                     bool
	evidence                  evidenceFlags
	zlint                     zlintFlag
	password                  passwordFlag
}

// maxJobs is far more than any machine has a use for.
const maxJobs = 1024

func newCheckCmd(a *app) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check [flags] PATH…",
		Short: "Vet certificate files against the governance document",
		Long: `check vets certificates against Section 4 of the governance document, without a
workspace. PATH is a file, a directory that is walked, or - for the standard
input. Any number of certificates per file is read, by content and not by name:
PEM, DER, base64, PKCS#7, PKCS#12, and a zip archive of those, deflated or stored,
plain or in AES encryption. check asks for no password: what --password-file does
not open is refused by EFGS-007. A signing request is held to the rules on its
subject and key, and never accepted: it is no certificate.

The exit code is 0 if everything is accepted, 1 if something is refused or
undecided, or has a finding at --fail-on or above, and 2 for mistakes on the
command line, unreadable paths, and directories without any certificate. Of a
directory, files that hold nothing known are skipped and counted; one that is named
like a certificate, is larger than 16 MiB or cannot be read is refused.

--waivers FILE names exceptions, each about one rule and one certificate:
  schema: efgsta.waivers/v1
  waivers:
    - rule: validity-min             # or its id, EFGS-201
      thumbprint: 3f0a…              # SHA-256 of the certificate, 64 hex digits
      reason: the CA issues for 200 days at most
      owner: PKI desk
      expires: 2027-01-31            # the last day on which it holds, or a time
What one covers is shown as waived and counts no more. One that is expired or about
a failure that is never waived is an error (EFGS-008), one that meets nothing a
warning (EFGS-009).

Files are vetted on every core, in two passes, so that keys can be compared; the
verdicts come in the order of the paths, with any --jobs. At most 1000 certificates
of one file are vetted, and a verdict more says how many are left.

--format json is for programs, sarif for code scanning, junit for test reports,
github for annotations of a workflow run, markdown for a pull request, and html
is a page to file or to send. The same input at the same --at gives the same bytes.`,
		Example: `  efgsta check --type nbbs --country DE nbbs.pem
  efgsta check --country DE nbtls.pem nbbs.pem
  efgsta check --format sarif -o vet.sarif certs/
  efgsta check --type nbbs --country DE --format html -o nbbs.html nbbs.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("efgsta check nbbs.pem, or - for the standard input", "no PATH is given")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return check(c, a, &f, args) },
	}
	c.Flags().StringVar(&f.role, "type", "auto", "auto, nbtls, nbbs, efgstls or efgsta")
	c.Flags().StringVar(&f.country, "country", "", "member state `CC` that brings the certificates")
	c.Flags().StringVar(&f.policy, "policy", policy.Default, "policy `NAME|FILE`")
	c.Flags().StringVar(&f.at, "at", "", "judge as if it were this `TIME` (RFC 3339 or YYYY-MM-DD)")
	c.Flags().StringVar(&f.format, "format", "table", strings.Join(report.CheckFormats(), ", "))
	c.Flags().StringVar(&f.failOn, "fail-on", vet.SeverityError, "mildest severity that fails: error, warning or notice")
	f.evidence.add(c)
	f.zlint.add(c)
	f.password.add(c)
	f.known.add(c)
	repeatedVar(c, &f.require, "require", "`RULE|all` that must not go without its evidence; may be repeated")
	c.Flags().StringVar(&f.within, "within", "", "also fail what ends within `DAYS`, e.g. 45d, or is due for renewal by the policy (EFGS-206)")
	c.Flags().IntVar(&f.jobs, "jobs", min(runtime.GOMAXPROCS(0), maxJobs), "vet `N` files at the same time; every core if not given")
	c.Flags().Lookup("jobs").DefValue = "0" // not shown: it differs from machine to machine
	c.Flags().StringVar(&f.waivers, "waivers", "", "recorded exceptions in `FILE`, YAML; see above")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "table: only what is not accepted, and why")
	c.Flags().StringVarP(&f.out, "output", "o", "", "write the result to `FILE`")
	return c
}

func check(c *cobra.Command, a *app, f *checkFlags, paths []string) error {
	req, err := f.request(a)
	if err != nil {
		return err
	}
	pol, err := loadPolicy(f.policy)
	if err != nil {
		return err
	}
	engine, err := newEngine(pol)
	if err != nil {
		return err
	}
	with, err := f.known.read(&req)
	if err != nil {
		return err
	}
	if req.Waivers, err = readWaivers(f.waivers); err != nil {
		return err
	}
	proof, err := f.evidence.read()
	if err != nil {
		return err
	}
	o, erase, err := f.password.options()
	if err != nil {
		return err
	}
	defer erase()
	run := &checkRun{
		app: a, engine: engine, req: req, options: o, jobs: f.jobs, progress: a.newProgress(), keys: newOthers(with),
	}
	if f.out != "" || f.zlint.name != "" || several(paths) {
		// A single file is over before anybody could interrupt it, and the handler
		// would be a tenth of that.
		catchInterrupts(c, nil)
	} else {
		run.jobs = 1
	}
	ctx := c.Context()
	zlint, stop, err := f.zlint.start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	run.req.Zlint = zlint
	if err := run.gather(ctx, paths); err != nil {
		return err
	}
	if len(run.lost) == len(run.files) && run.lost != nil {
		return run.unread()
	}
	if len(run.files) == 0 {
		return usagef("name a certificate file, or a directory that holds one",
			"no certificate found in %s (%s skipped)", strings.Join(paths, ", "), plural(run.skipped, "file"))
	}
	if err := f.notInput(run); err != nil {
		return err
	}
	run.req.Others = run.keys.known()
	run.req.Evidence = proof.Evidence
	for _, k := range with {
		run.req.Issuers = append(run.req.Issuers, k.Certificate)
		if run.req.Evidence != nil {
			run.req.Evidence.Add(k.Certificate)
		}
	}

	proof.notes(a)

	head := report.Header{Policy: pol, At: req.At, FailOn: f.failOn, Renewal: f.within != "", Version: version}
	if proof.Evidence != nil && proof.Roots != nil {
		head.Roots = proof.Roots.Name
	}
	if zlint != nil {
		head.Zlint = zlint.Name
		a.notef("a second opinion on TLS certificates by %s", report.Escape(zlint.Name))
	}
	good, err := run.write(ctx, f, head)
	switch {
	case err != nil:
		return err
	case run.lost != nil:
		return run.unread()
	case !good:
		return no()
	}
	return nil
}

// request checks the flags and turns them into what every certificate is asked.
func (f *checkFlags) request(a *app) (vet.Request, error) {
	req := vet.Request{Country: f.country, AnyEnvironment: true}
	var err error
	if req.At, err = a.clock(f.at); err != nil {
		return req, err
	}
	roles := []string{"auto"}
	for _, r := range vet.Roles() {
		roles = append(roles, string(r))
	}
	for _, err := range []error{
		oneOf("type", f.role, roles...),
		oneOf("format", f.format, report.CheckFormats()...),
		oneOf("fail-on", f.failOn, vet.SeverityError, vet.SeverityWarning, vet.SeverityNotice),
	} {
		if err != nil {
			return req, err
		}
	}
	if f.role != "auto" {
		req.Role = vet.Role(f.role)
	}
	if c := f.country; c != "" && (len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return req, usagef("two capital letters, such as DE", "--country %q is not a country code", c)
	}
	if f.within != "" {
		if req.Within, err = parseDays(f.within); err != nil {
			return req, err
		}
	}
	if f.jobs < 1 || f.jobs > maxJobs {
		return req, usagef("leave it away to use every core", "--jobs %d is not between 1 and %d", f.jobs, maxJobs)
	}
	for _, name := range f.require {
		rule, ok := vet.Find(name)
		if !ok && name != "all" {
			return req, usagef("efgsta rules lists them; or all", "--require %q is no rule", name)
		}
		if ok {
			name = rule.ID
		}
		req.Require = append(req.Require, name)
	}
	return req, nil
}

// loadPolicy takes the name of an embedded policy, or else a file.
func loadPolicy(nameOrFile string) (*policy.Policy, error) {
	p, err := policy.Load(nameOrFile)
	if !errors.Is(err, policy.ErrUnknown) {
		return p, err
	}
	if _, statErr := os.Stat(nameOrFile); statErr != nil {
		return nil, err // the hint names the embedded ones
	}
	data, err := readFile(nameOrFile)
	if err != nil {
		return nil, err
	}
	if p, err = policy.ParseFile(nameOrFile, data); err != nil {
		return nil, usagef("", "--policy %s: %w", nameOrFile, err)
	}
	return p, nil
}
