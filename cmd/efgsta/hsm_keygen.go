package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/report"
)

func newHSMKeygenCmd(a *app) *cobra.Command {
	var f wired
	var format formatFlag
	var algorithm string
	var yes bool
	c := &cobra.Command{
		Use:   "keygen --key URI --module FILE",
		Short: "Make a key pair in a token by the strict template",
		Long: `Makes a key pair in the token that the URI names: sensitive, not extractable, for
signing and for nothing else. Everything that can be checked is checked first: the
token is there, exactly once, and can make and use such a key. Then it says how this
key can be backed up, asks, and logs in: only now it shows whether another key has
that name. What the token made is read back; a key that is weaker than asked for is
destroyed again.

anchor create makes its key by itself. Use keygen where key and certificate are made
on different days, or where the token is backed up in between.`,
		Example: `  efgsta hsm keygen --key 'pkcs11:token=EFGSTA;object=efgsta-2027' --module /usr/lib/softhsm/libsofthsm2.so`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if !slices.Contains(tokenAlgorithms, algorithm) {
				return usagef("one of: "+strings.Join(tokenAlgorithms, ", "), "--algorithm %q is not known", algorithm)
			}
			return keygen(c.Context(), a, &f, algorithm, yes, format)
		},
	}
	f.add(c, a)
	format.add(c)
	c.Flags().StringVar(&algorithm, "algorithm", "rsa-3072", strings.Join(tokenAlgorithms, ", "))
	c.Flags().BoolVar(&yes, "yes", false, "do not ask: the note on the backup was read")
	return c
}

// tokenAlgorithms are the keys that Governance 4.1 lets an EFGSTA have and every
// consumer of ours can read.
var tokenAlgorithms = []string{"rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"}

type keygenJSON struct {
	Schema       string          `json:"schema"`
	Module       string          `json:"module"`
	ModuleSHA256 string          `json:"moduleSha256"`
	Token        string          `json:"token"`
	Serial       string          `json:"serial"`
	Label        string          `json:"label"`
	ID           string          `json:"id"`
	Algorithm    string          `json:"algorithm"`
	Attributes   []attributeJSON `json:"attributes"`
	NotStated    []string        `json:"notStated"` // attributes that the token did not take in the template
}

// agreeToKey asks for the label of the new key, unless the question was answered before.
func agreeToKey(ctx context.Context, a *app, label string, yes bool) error {
	if yes {
		return nil
	}
	answer, err := a.askLine(interrupted(ctx), "type the label of the new key to make it", "run it at a terminal, or give --yes")
	if err != nil {
		return err
	}
	if answer != label {
		return &exitError{code: exitAborted, err: errors.New("that is not the label; no key was made")}
	}
	return nil
}

// keygen reads from top to bottom like the paper script.
func keygen(ctx context.Context, a *app, f *wired, algorithm string, yes bool, format formatFlag) error {
	w, err := f.uri()
	if err != nil {
		return err
	}
	c, forget, err := f.token(ctx, a, w)
	if err != nil {
		return err
	}
	defer forget()
	found := c.BeforeLogin
	c.BeforeLogin = func(t hsm.TokenID) error {
		a.notef("%s", backupNote(c.URI, algorithm))
		if err := agreeToKey(ctx, a, c.URI.Object, yes); err != nil {
			return err
		}
		return found(t)
	}
	made, err := hsm.Generate(c, algorithm)
	if err != nil {
		return err
	}
	t := made.Token()
	if err := made.Close(); err != nil {
		a.notef("warning: the token did not close cleanly: %s; the key is made", report.Escape(err.Error()))
	}
	if format.json() {
		return a.json(keygenJSON{"efgsta.hsm-keygen/v1", t.Module, t.ModuleSHA256, t.Label, t.Serial, t.KeyLabel, t.KeyID, t.Algorithm,
			newAttributesJSON(t.Attributes), append([]string{}, t.NotStated...)})
	}
	a.printf("made %s %s\n", t.Algorithm, report.Escape(whereIs(t)))
	a.showAttributes(t.Attributes)
	if len(t.NotStated) > 0 {
		a.printf("not stated, since the token does not take them: %s\n", strings.Join(t.NotStated, ", "))
	}
	a.notef("next: back the token up, then: efgsta anchor create --organization NAME --algorithm %s --key '%s' --module %s", t.Algorithm, report.Escape(keyURI(t)), report.Escape(t.Module))
	return nil
}

// keyURI names the key with the token's serial number, since labels may repeat.
func keyURI(t hsm.TokenInfo) string {
	return hsm.URI{Token: t.Label, Serial: t.Serial, Object: t.KeyLabel}.String()
}

// backupNote says, before there is a key, what will be possible with it after.
func backupNote(u hsm.URI, algorithm string) string {
	return fmt.Sprintf("about to make a new %s key %q.\n%s", algorithm, report.Escape(u.Object), noBackup)
}

const noBackup = `Nothing can ever read it out of the token, and efgsta cannot back it up. The only backup
is a copy of the whole token by its maker's own means (cloning, wrapped backup to a second
token), made by the security officers; efgsta anchor spare records such a second token.
Without one, losing the token is losing the EFGSTA: every member state would have to be
given a new one (Governance 3.3).`
