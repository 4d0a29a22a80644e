package main

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/registry"
)

// approveFlags say who approves and where the approval goes.
type approveFlags struct {
	keys      keyFlags
	as, at    string
	confirm   string
	out       string
	pss       bool
	publicKey bool
}

func newApproveCmd(a *app) *cobra.Command {
	var f approveFlags
	c := &cobra.Command{
		Use:   "approve PLAN --as NAME --key KEY -o FILE",
		Short: "Approve a plan with a key of your own",
		Long: `Reads a plan away from its workspace, holds what it shows against what would be
signed, shows it, asks for the words of its digest, and signs an approval of exactly
that digest with the approver's own key. A plan in which one byte changes is another
plan, of which the approval says nothing.

Only the workspace can tell what the list before said and that the plan is what its
journal gives: efgsta sign makes the plan again and compares every byte.

With --public-key it writes the public key of KEY instead, for efgsta approver add.`,
		Example: `  efgsta approve --public-key --key file:anna.p8 -o anna.pem
  efgsta approve plan.json --as anna.berg --key 'pkcs11:token=ANNA;object=approver' --module /usr/lib/libx.so -o anna.approval.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.keys.key == "" || f.out == "":
				return usagef(c.CommandPath()+" --help", "--key and -o are needed")
			case f.publicKey && len(args) == 0:
				return exportPublicKey(c.Context(), a, &f)
			case f.publicKey || len(args) != 1 || f.as == "":
				return usagef(c.CommandPath()+" --help", "a PLAN and --as are needed, or --public-key without them")
			}
			return approve(c.Context(), a, &f, args[0])
		},
	}
	f.keys.addModule(c)
	f.keys.addPIN(c)
	c.Flags().StringVar(&f.keys.key, "key", "", "the approver's own `KEY`: file:PATH or a PKCS#11 URI (required)")
	c.Flags().StringVar(&f.as, "as", "", "`NAME` under which the approver is enrolled")
	c.Flags().StringVar(&f.at, "at", "", "act as if it were this `TIME` (rehearsal only)")
	c.Flags().StringVar(&f.confirm, "confirm", "", "the `WORDS` of the plan, instead of typing them (rehearsal only)")
	c.Flags().BoolVar(&f.pss, "pss", false, "sign RSASSA-PSS with an RSA key, for a token that makes no PKCS#1 v1.5")
	c.Flags().BoolVar(&f.publicKey, "public-key", false, "write the public key of KEY, and sign nothing")
	c.Flags().StringVarP(&f.out, "output", "o", "", "new `FILE` for the approval or the public key (required)")
	return c
}

func approve(ctx context.Context, a *app, f *approveFlags, path string) error {
	text, err := readFile(path)
	if err != nil {
		return err
	}
	plan, err := ceremony.Read(text)
	if err != nil {
		return refused(err)
	}
	if plan.Plan.Environment == registry.Production && (f.confirm != "" || f.at != "") {
		return usagef("leave them out: the words are typed at the terminal, and the time is now", "--confirm and --at are for rehearsals")
	}
	now, err := a.clock(f.at)
	if err != nil {
		return err
	}
	a.showPlan(plan)
	if err := a.confirmWords(ctx, plan, f.confirm, "was approved"); err != nil {
		return err
	}
	approval, err := f.state(ctx, a, func(key *openedKey) ([]byte, error) {
		return plan.State(ceremony.ApprovalSchema, f.as, key, f.pss, rand.Reader, now)
	})
	if err != nil {
		return signError(err)
	}
	if err := writeNew(f.out, approval); err != nil {
		return err
	}
	a.notef("approval written to %s", f.out)
	a.notef("next, at the workspace: efgsta sign --approval FILE")
	return nil
}

// state opens the person's own key for one thing.
func (f *approveFlags) state(ctx context.Context, a *app, use func(*openedKey) ([]byte, error)) ([]byte, error) {
	key, err := f.keys.openOwn(ctx, a, wiring{Key: f.keys.key, Module: f.keys.module, InitArgs: f.keys.initArgs})
	if err != nil {
		return nil, err
	}
	out, err := use(key)
	if closeErr := key.Close(); err == nil && closeErr != nil {
		a.notef("warning: the token did not close cleanly: %v", closeErr)
	}
	return out, err
}

// openOwn opens a person's own key, which may be in a file also where production signs.
func (f *keyFlags) openOwn(ctx context.Context, a *app, w wiring) (*openedKey, error) {
	if path, ok := strings.CutPrefix(w.Key, "file:"); ok {
		return f.openFile(ctx, a, "", path, "")
	}
	return f.openToken(ctx, a, w, nil, "")
}

func exportPublicKey(ctx context.Context, a *app, f *approveFlags) error {
	var hash string
	text, err := f.state(ctx, a, func(key *openedKey) ([]byte, error) {
		sum, spki, err := ceremony.KeySHA256(key.Public())
		hash = sum
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), err
	})
	if err != nil {
		return err
	}
	if err := writeNew(f.out, text); err != nil {
		return err
	}
	a.printf("key sha256 %s\n", hash)
	a.notef("next, at the workspace: efgsta approver add NAME --public-key FILE")
	return nil
}

func writeNew(path string, data []byte) error {
	err := atomicfile.Create(path, data, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usagef("name a file that does not exist yet", "-o %s exists", path)
	}
	return err
}

// confirmWords asks for the words of a plan's digest unless they were given.
func (a *app) confirmWords(ctx context.Context, plan *ceremony.Pending, given, otherwise string) error {
	if given == "" {
		var err error
		if given, err = a.askLine(interrupted(ctx), fmt.Sprintf("read the plan, then type its %d words", ceremony.ConfirmWords),
			"run it at a terminal; in a rehearsal --confirm \"WORDS\" can stand for typing them"); err != nil {
			return err
		}
	}
	if !ceremony.SameWords(given, plan.Words()) {
		return &exitError{code: exitAborted, err: fmt.Errorf("the words are not those of plan %s; nothing %s", plan.Digest, otherwise), advice: "the words stand at the end of what efgsta plan prints"}
	}
	return nil
}
