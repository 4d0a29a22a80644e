package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/bundle"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/release/gateway"
)

func newExportCmd(a *app) *cobra.Command {
	c := &cobra.Command{Use: "export", Short: "Pack a release for one target; needs no key", Args: cobra.NoArgs}
	c.AddCommand(newExportGatewayCmd(a))
	return c
}

func newExportGatewayCmd(a *app) *cobra.Command {
	var ws wsFlags
	var out string
	var sequence uint64
	var format formatFlag
	c := &cobra.Command{
		Use:   "gateway -o FILE",
		Short: "Pack a release for the online gateway",
		Long: `Verifies a release as it lies on disk and packs what the online gateway needs into
a tar: manifest, trust list, certificates with signatures, SQL, rows, whitelist.
The same release always gives the same bytes.`,
		Example: "  efgsta export gateway -o gateway-000001.tar",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if out == "" {
				return usagef("example: efgsta export gateway -o gateway-000001.tar", "-o FILE is needed")
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			return export(a, s, release.TargetGateway, sequence, out, format)
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVarP(&out, "output", "o", "", "write the bundle to `FILE`, which must not exist")
	c.Flags().Uint64Var(&sequence, "release", 0, "`NUMBER` of the release (default: the last)")
	return c
}

func export(a *app, s *session, target release.Target, sequence uint64, out string, format formatFlag) error {
	last := s.LastRelease()
	if last == nil {
		return usagef("make one with: efgsta plan, then: efgsta sign", "there is no release yet")
	}
	if sequence == 0 {
		sequence = last.Sequence
	}
	if sequence > last.Sequence {
		return usagef("", "there is no release %d, the last is %d", sequence, last.Sequence)
	}
	files, err := release.ReadDir(os.DirFS(s.ReleaseDir(sequence)))
	if err != nil {
		return damaged(err)
	}
	an, err := s.anchor()
	if err != nil {
		return err
	}
	v, err := release.VerifyAtIssue(files, []*anchor.Anchor{an})
	if err != nil {
		return damaged(err)
	}
	if v.ManifestHash != s.Releases[sequence-1].Manifest {
		return damaged(fmt.Errorf("release %d is not the one in the journal", sequence))
	}
	data, err := bundle.Pack(files, v.Manifest, target)
	if err != nil {
		return &exitError{code: exitNo, err: err, advice: s.whyLeftOut(target)}
	}
	if err := atomicfile.Create(out, data, 0o644); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return usagef("name another file, or remove it first", "%s exists and is not replaced", out)
		}
		return err
	}
	if format.json() {
		return a.json(exportJSON{"efgsta.export/v1", out, target, sequence, len(data), release.Digest(data)})
	}
	a.printf("wrote %s: release %d for the %s, %d bytes, sha256 %s\n", out, sequence, target, len(data), release.Digest(data))
	a.notef("check it with: efgsta verify bundle %s --anchor efgsta.pem", out)
	return nil
}

type exportJSON struct {
	Schema  string         `json:"schema"`
	File    string         `json:"file"`
	Target  release.Target `json:"target"`
	Release uint64         `json:"release"`
	Size    int            `json:"size"`
	SHA256  string         `json:"sha256"`
}

// whyLeftOut is the reason in the plan for a target that a release does not serve.
func (s *session) whyLeftOut(target release.Target) string {
	an, err := s.anchor()
	if err != nil {
		return ""
	}
	if err := gateway.CheckAnchor(an.Certificate); target == release.TargetGateway && err != nil {
		return err.Error() + "\n" + hintOf(err)
	}
	return ""
}

func damaged(err error) error {
	return &exitError{code: exitDamaged, err: err, advice: "restore releases/ from a copy of the workspace"}
}
