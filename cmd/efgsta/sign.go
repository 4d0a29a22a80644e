package main

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

func newSignCmd(a *app) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var who signerFlags
	var confirm string
	var format formatFlag
	c := &cobra.Command{
		Use:   "sign [PLAN-DIGEST]",
		Short: "Sign a plan and publish the release",
		Long: `Signs exactly what the plan holds: makes the plan again from the workspace and
refuses if a byte differs, asks for the words of its digest, logs in once, signs,
verifies every signature, reads every file back, and only then gives the release
its name. Interrupted at any point it leaves no release or a whole one; run it again.

Without PLAN-DIGEST the newest plan for the current state is meant. Approvals that the
plan needs are given with --approval, each once; they are kept beside the plan. In
production at least one is needed, and who signs says so with --as and proves it with
a key of their own.`,
		Example: `  efgsta sign
  efgsta sign --approval second.approval.json --as first --as-key 'pkcs11:token=FIRST;object=first'
  efgsta sign --pin-file pin --confirm "words of the plan …"     # rehearsal only`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			digest := ""
			if len(args) == 1 {
				digest = strings.ToLower(strings.ReplaceAll(args[0], " ", ""))
			}
			return sign(c.Context(), a, s, &keys, &who, digest, confirm, format)
		},
	}
	ws.add(c, a)
	keys.add(c)
	who.add(c)
	format.add(c)
	c.Flags().StringVar(&confirm, "confirm", "", "the `WORDS` of the plan, instead of typing them (rehearsal only)")
	return c
}

// sign is the ceremony from top to bottom.
func sign(ctx context.Context, a *app, s *session, keys *keyFlags, who *signerFlags, digest, confirm string, format formatFlag) error {
	if s.Config.Environment == registry.Production && confirm != "" {
		return usagef("leave it out; the words are typed at the terminal", "--confirm is for rehearsals")
	}
	plan, err := ceremony.Load(s.Workspace, s.policy, toolName, digest, s.now)
	if err != nil {
		return refused(err)
	}
	a.notef("%s, digest %s", summary(plan.Plan), plan.Digest)
	people, err := who.gather(s, plan)
	if err != nil {
		return signError(err)
	}
	if err := a.confirmWords(ctx, plan, confirm, "was signed"); err != nil {
		return err
	}
	if err := who.prove(ctx, a, s, plan, people); err != nil {
		return signError(err)
	}
	wiring, err := keys.resolve(s.Dir)
	if err != nil {
		return err
	}
	key, err := keys.open(ctx, a, s.Workspace, wiring, s.Anchor.Certificate.PublicKey.Std, "")
	if err != nil {
		return err
	}
	if err := s.auditKey(a, key, s.Anchor.SHA256, plan.Plan.Waiting()...); err != nil {
		_ = key.Close() // the refusal is what to tell
		return err
	}
	result, err := ceremony.Sign(ctx, s.Workspace, plan, people, key, rand.Reader, s.now, s.actor)
	logins := key.logins()
	// The release is on disk before the module is shut down: some crash on the way out.
	if closeErr := key.Close(); err == nil && closeErr != nil {
		a.notef("warning: the token did not close cleanly: %v; the release is complete", closeErr)
	}
	if err != nil {
		return signError(err)
	}
	if format.json() {
		m := result.Verified.Manifest
		return a.json(signJSON{"efgsta.sign/v1", result.Sequence, result.Dir, result.Verified.ManifestHash, m.Plan, m.Anchor, len(m.Files) + 3, result.Signatures, logins, newStepsJSON(result.Verified.Steps)})
	}
	a.printf("signed release %d: %s in %s, %s\n", result.Sequence, plural(len(result.Verified.Manifest.Files)+3, "file"), result.Dir, plural(result.Signatures, "signature"))
	if !key.isFile {
		t := key.token.Token()
		a.printf("made with %s, %s, %s\n", key.where, strings.Join(t.Mechanisms, ", "), plural(logins, "login"))
		a.printf("through   %s, sha256 %s\n", report.Escape(t.Module), t.ModuleSHA256)
	}
	for _, p := range people.Approvals {
		a.printf("approved by %s, %s\n", p.Name, p.At.Format(time.RFC3339))
	}
	a.showSteps(result.Verified.Steps)
	a.notef("next: efgsta export gateway -o gateway-%06d.tar", result.Sequence)
	return nil
}

type signJSON struct {
	Schema     string `json:"schema"`
	Sequence   uint64 `json:"sequence"`
	Dir        string `json:"dir"`
	Manifest   string `json:"manifestSha256"`
	Plan       string `json:"plan"`
	Anchor     string `json:"anchor"`
	Files      int    `json:"files"`
	Signatures int    `json:"signatures"`
	Logins     int    `json:"logins"` // at the token; 0 with a key file
	stepsJSON
}
