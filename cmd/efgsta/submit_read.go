package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

// read takes one file: which certificates of it are meant, and whether they may
// come in. With role "" each is taken for what its content says.
func (s *submission) read(ctx context.Context, name string, role vet.Role) error {
	data, err := readFile(name)
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	in, err := s.password.open(ctx, s.app, base, data)
	switch {
	case in != nil && in.PrivateKey:
		return s.refuseKey(name, base)
	case err != nil:
		return err
	}
	// What is closed may hold a private key.
	if closed := in.Closed(); closed != "" {
		return usagef("with the right --password-file FILE, or as plain PEM or DER: certificates are no secret", "%s: %s", name, report.Escape(closed))
	}
	s.given.take(in)
	if role != "" {
		item, chosen, err := in.Submitted()
		if err != nil {
			return usagef("send the certificate alone, as PEM or DER; efgsta check "+name+" says what is in the file", "%s: %w", name, err)
		}
		if err := s.fileFailures(in, name, base, role); err != nil {
			return err
		}
		return s.take(name, data, in, item, role, chosen, false)
	}
	items, err := in.Leaves()
	if err != nil {
		return usagef("efgsta check "+name+" says what is in the file", "%s: %w", name, err)
	}
	if err := s.fileFailures(in, name, base, role); err != nil {
		return err
	}
	for _, item := range items {
		role, why := vet.RoleOf(item.Cert, s.country)
		if role != vet.NBTLS && role != vet.NBBS {
			if role != "" {
				why = "it is an " + string(role) + ": " + why
			}
			return usagef("say what it is: --nbtls FILE or --nbbs FILE, each with one certificate",
				"%s: what certificate %d (sha256 %s) is submitted for is not clear: %s", name, item.Index+1, item.Cert.Thumbprint(), why)
		}
		chosen := fmt.Sprintf("taken for %s: %s", role, why)
		if item.Entry != "" {
			// The entry's name is its sender's text, and not for a journal that keeps everything.
			chosen = "in the archive, " + chosen
		}
		if err := s.take(name, data, in, item, role, chosen, true); err != nil {
			return err
		}
	}
	return nil
}

// refuseKey records that a file with a private key was not taken in.
func (s *submission) refuseKey(name, base string) error {
	const reason = "private key in the file"
	if err := s.turnAway(base, reason); err != nil {
		return err
	}
	return refusef("treat the key as compromised: ask for a new key and certificate; delete the file and what carried it here",
		"%s holds a private key (EFGS-003); nothing of it was kept", name)
}

// fileFailures turns a file away that fails a rule about files.
func (s *submission) fileFailures(in *cert.Input, name, base string, role vet.Role) error {
	failed := s.engine.FileFailures(in, role)
	if len(failed) == 0 {
		return nil
	}
	f := failed[0]
	if err := s.turnAway(base, f.ID+" "+f.Name); err != nil {
		return err
	}
	return refusef("send a file with certificates and nothing else; efgsta check "+name+" says what is in this one",
		"%s: %s %s: %s; nothing of it was kept", name, f.ID, f.Name, f.Message)
}

// take adds one certificate of a file to the submission.
func (s *submission) take(name string, data []byte, in *cert.Input, item *cert.Item, role vet.Role, chosen string, byContent bool) error {
	c := item.Cert
	if cert.HoldsKey(c.Raw) || cert.HoldsKey(data) {
		return s.refuseKey(name, filepath.Base(name))
	}
	old := s.Find(c.Thumbprint())
	if old != nil && (old.Country != s.country || old.Type != role) {
		return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: certificate %s was submitted before as %s %s", name, cert.ShortHex(old.SHA256), old.Country, old.Type)
	}
	for _, f := range s.items {
		if f.Certificate.Thumbprint() == c.Thumbprint() {
			return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: the same certificate is also in %s", name, f.Data.File)
		}
	}
	record := registry.SubmittedCertificate{Type: role, File: strings.ToValidUTF8(filepath.Base(name), "\uFFFD"), Chosen: chosen}
	s.items = append(s.items, submitted{Submitted: registry.Submitted{Data: record, File: data, Certificate: c}, old: old, tell: byContent || len(in.Items) > 1})
	return nil
}
