package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newAnchorRollCmd(a *app) *cobra.Command {
	c := &cobra.Command{Use: "roll", Short: "Replace the EFGSTA by the next one", Args: cobra.NoArgs}
	c.AddCommand(newRollAnnounceCmd(a), newRollShowCmd(a))
	needSubcommand(c)
	return c
}

// rollFlags say what the next EFGSTA is and where its key lives.
type rollFlags struct {
	next         keyFlags // key and module of the next one; its PIN
	nextKey      string
	algorithm    string
	organization string
	days         int
	from, out    string
}

func newRollAnnounceCmd(a *app) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var f rollFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "announce --next-key KEY --organization NAME --from TIME -o DIR",
		Short: "Make the next EFGSTA and have the old one say who follows it",
		Long: `Makes the next EFGSTA certificate with a key of its own, and a succession statement:
the old EFGSTA's signature over the new certificate and the day from which lists of the
new one count. DIR gets the new certificate, the statement and its two signatures, for
everyone who pins the EFGSTA. Nothing else changes yet: lists are still signed by the
old one until the roll is switched.

The next key is looked for first with --next-key, and made there if there is none of
that name. The two keys may live in one token or in two, which are used one after the
other. --pin-file is for the key that it was given for and for no other: unless both
are in one token, named by the same URI but for the key, give --next-pin-file too. At
the terminal each token's PIN is asked for once.`,
		Example: `  efgsta anchor roll announce --next-key 'pkcs11:token=EFGSTA;object=efgsta-2027' \
      --organization "European Commission" --from 2027-05-01 -o roll`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := format.check(); err != nil {
				return err
			}
			i := slices.IndexFunc(anchorAlgorithms, func(alg anchorAlgorithm) bool { return alg.name == f.algorithm })
			switch {
			case i < 0:
				return usagef("one of: "+strings.Join(algorithmNames(), ", "), "--algorithm %q is not known", f.algorithm)
			case f.nextKey == "" || f.organization == "" || f.from == "" || f.out == "":
				return usagef(c.CommandPath()+" --help", "--next-key, --organization, --from and -o are needed")
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			return announce(c.Context(), a, s, &keys, &f, anchorAlgorithms[i], format)
		},
	}
	ws.add(c, a)
	keys.add(c)
	format.add(c)
	c.Flags().StringVar(&f.nextKey, "next-key", "", "`KEY` of the next EFGSTA, another one: file:PATH or a PKCS#11 URI (required)")
	c.Flags().StringVar(&f.next.module, "next-module", "", "PKCS#11 module `FILE` of the next key, if it is another one")
	c.Flags().StringVar(&f.next.initArgs, "next-init-args", "", "initialisation `STRING` of the module of the next key, if it is another one")
	c.Flags().StringVar(&f.next.pinFile, "next-pin-file", "", "PIN or passphrase of the next key from the first line of `FILE`, if it is another one (mode 0600)")
	c.Flags().StringVar(&f.algorithm, "algorithm", "rsa-3072", strings.Join(algorithmNames(), ", "))
	c.Flags().StringVar(&f.organization, "organization", "", "`NAME` of the provider, the certificate's O (required)")
	c.Flags().IntVar(&f.days, "days", 730, "validity in days, one to two years (Governance 4.2)")
	c.Flags().StringVar(&f.from, "from", "", "`TIME` from which lists of the next EFGSTA count (required)")
	c.Flags().StringVarP(&f.out, "output", "o", "", "new `DIR` for the certificate, the statement and its signatures (required)")
	return c
}

// announce reads from top to bottom: check, make the next EFGSTA, have the old one sign
// the statement, verify it as a receiver would, write, record.
func announce(ctx context.Context, a *app, s *session, keys *keyFlags, f *rollFlags, alg anchorAlgorithm, format formatFlag) error {
	old, err := s.anchor()
	if err != nil {
		return err
	}
	switch {
	case s.Next != nil:
		return usagef("show it with: efgsta anchor show", "a next EFGSTA is announced already: %s", s.Next.Next.SHA256)
	case s.Config.Environment == registry.Production:
		return refusef("rehearse in a workspace made with --environment rehearsal", "a succession is signed in production only with the approval of other people, and a plan cannot hold one yet")
	}
	from, err := a.clock(f.from)
	if err != nil {
		return err
	}
	oldWiring, err := keys.resolve(s.Dir)
	if err != nil {
		return err
	}
	keys.kept = &keptPIN{}
	defer keys.kept.forget()
	if err := oneModule("--next-module", f.next.module, f.nextKey); err != nil {
		return err
	}
	if err := f.pins(keys, oldWiring); err != nil {
		return err
	}
	if err := canPublish(f.out); err != nil {
		return err
	}
	engine, err := vet.New(s.policy)
	if err != nil {
		return err
	}
	params := anchor.Params{Organization: f.organization, Rehearsal: old.Rehearsal(), NotBefore: s.now, Days: f.days, Scheme: alg.scheme, Hash: alg.hash}
	if err := checkRoll(engine, old, params, from, s.now); err != nil {
		return err
	}
	next, record, err := makeNext(ctx, a, s, keys, f, engine, alg, params, oldWiring)
	if err != nil {
		return err
	}
	statement := trustlist.NewSuccession(s.Config.ListID, string(s.Config.Environment), old, next, s.now, from)
	doc, err := statement.Encode()
	if err != nil {
		return err
	}
	raw, p7s, err := signSuccession(ctx, a, s, keys, oldWiring, old, doc)
	if err != nil {
		return err
	}
	if _, _, err := trustlist.VerifySuccession(doc.Bytes(), p7s, []*anchor.Anchor{old}); err != nil {
		return err
	}
	err = s.Announce(s.now, s.actor, registry.Announced{
		Next: record, Certificate: next.Certificate, From: statement.From,
		Text: doc.Bytes(), Raw: release.EncodeSignature(raw), CMS: p7s,
	})
	if err != nil {
		return err
	}
	return a.showRoll(s, f.out, format)
}

func newRollShowCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var out string
	c := &cobra.Command{
		Use:   "show [-o DIR]",
		Short: "Show the announced roll; with -o, write what was handed out again",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			if s.Next == nil {
				return refusef("announce one with: efgsta anchor roll announce", "no next EFGSTA is announced")
			}
			return a.showRoll(s, out, format)
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVarP(&out, "output", "o", "", "new `DIR` for the certificate, the statement and its signatures")
	return c
}

// showRoll writes and shows what is recorded of the announced roll.
func (a *app) showRoll(s *session, out string, format formatFlag) error {
	if out != "" {
		if err := s.writeRoll(out); err != nil {
			return err
		}
	}
	d := s.Next
	if format.json() {
		return a.json(rollJSON{"efgsta.roll/v1", d.Old, d.Next.SHA256, d.From, out})
	}
	a.printf("announced: EFGSTA %s\n  follows  %s\n  from     %s\n", d.Next.SHA256, d.Old, d.From.Format(time.RFC3339))
	if out != "" {
		a.printf("  in       %s\n", report.Escape(out))
		a.notef("next: hand what is in %s to everyone who pins the EFGSTA, and read the new fingerprint to them by phone", report.Escape(out))
	}
	return nil
}

// canPublish finds out, before anything is made that lasts, whether a directory can be
// written whole at dir later.
func canPublish(dir string) error {
	_, err := os.Lstat(dir)
	if err == nil {
		return usagef("name a directory that does not exist yet", "-o %s exists", dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		// Trying says more than modes and owners: a medium can be read-only or full.
		try := filepath.Join(filepath.Dir(dir), atomicfile.TempPrefix+rand.Text())
		if err = os.Mkdir(try, 0o755); err == nil {
			err = os.Remove(try)
		}
	}
	if err != nil {
		return usagef("name a new directory inside one that exists and that you may write to; nothing was made", "-o %s: %w", dir, err)
	}
	return nil
}

// writeRoll makes the directory appear whole or not at all.
func (s *session) writeRoll(dir string) error {
	files := map[string][]byte{"efgsta-next.pem": s.Next.Certificate.PEM()}
	for name, sha := range map[string]string{"succession.json": s.Next.Statement, "succession.json.sig": s.Next.Signature, "succession.json.p7s": s.Next.CMS} {
		var err error
		if files[name], err = s.Object(sha); err != nil {
			return err
		}
	}
	tmp := filepath.Join(filepath.Dir(dir), atomicfile.TempPrefix+rand.Text())
	err := atomicfile.WriteTree(tmp, files, 0o644)
	if err == nil {
		err = atomicfile.Publish(tmp, dir)
	}
	if err != nil {
		return errors.Join(usagef("the announcement is recorded; write it with: efgsta anchor roll show -o DIR", "-o %s: %w", dir, err), os.RemoveAll(tmp))
	}
	return nil
}

type rollJSON struct {
	Schema string    `json:"schema"`
	Old    string    `json:"old"`
	Next   string    `json:"next"`
	From   time.Time `json:"from"`
	Dir    string    `json:"dir"`
}

// checkRoll finds whatever would fail before a key is made.
func checkRoll(engine *vet.Engine, old *anchor.Anchor, p anchor.Params, from, now time.Time) error {
	if err := anchor.Lint(engine, p, rand.Reader); err != nil {
		return refused(err)
	}
	end := p.NotBefore.AddDate(0, 0, p.Days)
	switch {
	case now.After(old.Certificate.NotAfter):
		return refusef("an expired EFGSTA announces nothing", "the EFGSTA expired on %s", old.Certificate.NotAfter.Format(time.RFC3339))
	case from.Before(now):
		return usagef("name a day to come, such as 2027-05-01", "--from %s is past", from.Format(time.RFC3339))
	case from.After(old.Certificate.NotAfter):
		return usagef("member states need a list in force at all times: choose an earlier day", "--from %s is after the end of the old EFGSTA, %s", from.Format(time.RFC3339), old.Certificate.NotAfter.Format(time.RFC3339))
	case !from.Before(end):
		return usagef("choose an earlier day, or more --days", "--from %s is after the end of the next EFGSTA, %s", from.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	return nil
}

// wiring is where the next key is; what is not said is as with the old one.
func (f *rollFlags) wiring(old wiring) wiring {
	w := wiring{Schema: hsmSchema, Key: f.nextKey, Module: old.Module, InitArgs: old.InitArgs}
	module := f.next.module
	if uri, err := hsm.ParseURI(f.nextKey); err == nil && module == "" {
		module = uri.ModulePath
	}
	if module != "" && module != old.Module {
		w.Module, w.InitArgs = module, "" // those of the old key's module say nothing to another
	}
	if f.next.initArgs != "" {
		w.InitArgs = f.next.initArgs
	}
	return w
}

// pins refuses what would give one key's PIN or passphrase to another, where it costs a
// try or seals a file that somebody else may copy, or would find a descriptor empty once
// the next key is made.
func (f *rollFlags) pins(keys *keyFlags, old wiring) error {
	switch {
	case f.next.pinFile != "" || !keys.pinGiven():
		return nil
	case keys.pinFD >= 0:
		return usagef("give --next-pin-file FILE too, or --pin-file FILE if it is the same", "--pin-fd is read once, and there are two keys")
	case old.oneSecret(f.wiring(old)):
		keys.kept.only = true
		return nil
	}
	return usagef("give --next-pin-file FILE; it may be the same file", "--next-key is in another token or file than --key, whose PIN or passphrase --pin-file holds")
}

// makeNext makes the next EFGSTA, whose key must not be one that the workspace knows.
func makeNext(ctx context.Context, a *app, s *session, keys *keyFlags, f *rollFlags, engine *vet.Engine, alg anchorAlgorithm, p anchor.Params, old wiring) (next *anchor.Anchor, record registry.AnchorData, err error) {
	w := f.wiring(old)
	flags := *keys
	if f.next.pinFile != "" {
		flags.pinFile, flags.pinFD = f.next.pinFile, -1
	}
	key, err := flags.open(ctx, a, s.Workspace, w, nil, alg.key)
	if err != nil {
		return nil, record, err
	}
	defer key.Close()
	if an, err := s.anchor(); err == nil && an.Owns(key.Public()) {
		return nil, record, usagef("name another key; one that does not exist yet is made", "%s is the key of the EFGSTA that is to be replaced", key.where)
	}
	if got := keyName(key.Public()); got != alg.key {
		return nil, record, usagef("name another key, or give --algorithm to fit it", "%s is a %s key, not %s", key.where, got, alg.key)
	}
	if err := s.auditKey(a, key, ""); err != nil {
		return nil, record, err
	}
	made, err := anchor.Create(engine, p, key, rand.Reader)
	if err != nil {
		return nil, record, refused(err)
	}
	record = registry.AnchorData{Algorithm: made.Algorithm.String(), Key: w.Key, Serial: key.serial(), KeyID: key.id()}
	return made, record, s.vetAnchor(a, made.Certificate, "the next EFGSTA")
}

func signSuccession(ctx context.Context, a *app, s *session, keys *keyFlags, w wiring, old *anchor.Anchor, doc anchor.Document) (raw, p7s []byte, err error) {
	key, err := keys.open(ctx, a, s.Workspace, w, old.Certificate.PublicKey.Std, "")
	if err != nil {
		return nil, nil, err
	}
	defer key.Close()
	if err := s.auditKey(a, key, s.Anchor.SHA256); err != nil {
		return nil, nil, err
	}
	signer, err := old.NewSigner(key, rand.Reader)
	if err != nil {
		return nil, nil, signError(err)
	}
	if raw, err = signer.Document(doc); err != nil {
		return nil, nil, signError(err)
	}
	p7s, err = signer.DocumentCMS(doc, s.now)
	return raw, p7s, err
}

// nextLine shows an announced EFGSTA beside the current one.
func (s *session) nextLine() string {
	if s.Next == nil {
		return ""
	}
	return "EFGSTA " + cert.ShortHex(s.Next.Next.SHA256) + "… follows from " + s.Next.From.Format(time.RFC3339)
}
