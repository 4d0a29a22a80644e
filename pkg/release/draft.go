package release

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/release/gateway"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

// Draft is everything that a release says except its signatures.
type Draft struct {
	Anchor       *anchor.Anchor
	List         *trustlist.List
	Document     anchor.Document // of List
	Certificates []vet.Accepted  // in the order of the list's entries
	Gateway      bool            // render the gateway's files
	Previous     string          // SHA-256 of the manifest before
	Journal      JournalHead
	Tool         string
}

// Planned is a file of the release before anything is signed. Content is nil where
// the file holds a signature.
type Planned struct {
	Path     string
	Target   Target
	Renderer Renderer
	Content  []byte
}

// Signatures are what the anchor made for a draft.
type Signatures struct {
	ListCMS      []byte
	Certificates []CertificateSignatures // in the order of Draft.Certificates
}

// CertificateSignatures are the two signatures that each certificate gets.
type CertificateSignatures struct {
	Operator []byte // raw, over the canonical PEM
	CMS      []byte // detached, over the DER
}

// Plan lists the files that Render will make, in the manifest's order.
func (d *Draft) Plan() ([]Planned, error) { return d.files(nil, nil) }

// Render makes every file but the manifest's. plan is the text that was signed for,
// and record what people said of it, by path under ApprovalsDir or at SignerPath.
func (d *Draft) Render(s Signatures, plan []byte, record Files) ([]Planned, error) {
	if len(s.Certificates) != len(d.Certificates) {
		return nil, fmt.Errorf("%d certificates but %d signatures", len(d.Certificates), len(s.Certificates))
	}
	out, err := d.files(&s, plan)
	if err != nil {
		return nil, err
	}
	for name, text := range record {
		if !IsStatement(name) {
			return nil, fmt.Errorf("%s is no place for what people said of a plan", name)
		}
		out = append(out, Planned{name, TargetRecord, RenderCopy, text})
	}
	slices.SortFunc(out, func(a, b Planned) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (d *Draft) files(s *Signatures, plan []byte) ([]Planned, error) {
	out := []Planned{
		{ListPath, TargetTrust, RenderCopy, d.Document.Bytes()},
		{ListCMSPath, TargetTrust, RenderSignature, nil},
		{AnchorPath, TargetTrust, RenderCopy, d.Anchor.Certificate.PEM()},
		{PlanPath, TargetRecord, RenderCopy, plan},
	}
	if s != nil {
		out[1].Content = s.ListCMS
	}
	for i, a := range d.Certificates {
		base := certificatePath(a.Country(), a.Role(), a.Certificate().Thumbprint().String())
		raw, p7s := Planned{base + ".sig", TargetTrust, RenderSignature, nil}, Planned{base + ".p7s", TargetTrust, RenderSignature, nil}
		if s != nil {
			raw.Content = EncodeSignature(s.Certificates[i].Operator)
			p7s.Content = s.Certificates[i].CMS
		}
		out = append(out, Planned{base + ".pem", TargetTrust, RenderCopy, a.Certificate().PEM()}, raw, p7s)
	}
	if d.Gateway {
		files, err := d.gatewayFiles(s)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	slices.SortFunc(out, func(a, b Planned) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (d *Draft) gatewayFiles(s *Signatures) ([]Planned, error) {
	var operator map[string][]byte
	if s != nil {
		operator = map[string][]byte{}
		for i, a := range d.Certificates {
			operator[a.Certificate().Thumbprint().String()] = s.Certificates[i].Operator
		}
	}
	return renderGateway(d.List, operator)
}

// renderGateway makes the gateway's files from the list and the operator
// signatures, or without those only the files that hold none.
func renderGateway(l *trustlist.List, operator map[string][]byte) ([]Planned, error) {
	im := gateway.Import{ListID: l.ListID, Environment: l.Environment, Sequence: l.Sequence, CreatedAt: l.ThisUpdate}
	var nbtls []*cert.Certificate
	certs := l.Certificates()
	for i, e := range l.Entries {
		if gateway.CheckCertificate(certs[i], rowType(e.Type)) != nil {
			continue
		}
		im.Rows = append(im.Rows, gateway.Row{
			CreatedAt:  l.ThisUpdate,
			Thumbprint: e.SHA256,
			Country:    e.Country,
			Type:       rowType(e.Type),
			Signature:  base64.StdEncoding.EncodeToString(operator[e.SHA256]),
			RawData:    e.Certificate,
		})
		if e.Type == vet.NBTLS {
			nbtls = append(nbtls, certs[i])
		}
	}
	for _, r := range l.Removed {
		im.Removed = append(im.Removed, gateway.Removed{Thumbprint: r.SHA256, Country: r.Country, Type: rowType(r.Type), Reason: r.Reason})
	}
	whitelist, err := gateway.WhitelistJSON(im, nbtls)
	if err != nil {
		return nil, err
	}
	out := []Planned{
		{"gateway/whitelist.pem", TargetGateway, RenderGateway, gateway.WhitelistPEM(nbtls)},
		{"gateway/whitelist.json", TargetGateway, RenderGateway, whitelist},
		{"gateway/IMPORT.md", TargetGateway, RenderGateway, gateway.ImportGuide(im)},
		{"gateway/mysql.sql", TargetGateway, RenderGateway, nil},
		{"gateway/rows.json", TargetGateway, RenderGateway, nil},
	}
	if operator != nil {
		if out[3].Content, err = gateway.MySQL(im); err != nil {
			return nil, err
		}
		if out[4].Content, err = gateway.RowsJSON(im); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// WithoutRow returns the entries that the gateway could not use, each with the reason.
// They stay in the list: other receivers can.
func WithoutRow(l *trustlist.List) map[string]error {
	out := map[string]error{}
	for i, c := range l.Certificates() {
		if err := gateway.CheckCertificate(c, rowType(l.Entries[i].Type)); err != nil {
			out[l.Entries[i].SHA256] = err
		}
	}
	return out
}

func rowType(r vet.Role) string {
	if r == vet.NBTLS {
		return "AUTHENTICATION"
	}
	return "SIGNING"
}

func certificatePath(country string, role vet.Role, thumbprint string) string {
	return certificatesDir + country + "-" + string(role) + "-" + cert.ShortHex(thumbprint)
}

// EncodeSignature is the text of a .sig file: standard base64 on one line, LF.
func EncodeSignature(raw []byte) []byte {
	return []byte(base64.StdEncoding.EncodeToString(raw) + "\n")
}

// DecodeSignature reads a .sig file: what EncodeSignature writes, or the same without its LF.
func DecodeSignature(text []byte) ([]byte, error) {
	raw, err := decodeSignature(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return raw, nil
}

func decodeSignature(text []byte) ([]byte, error) {
	line := strings.TrimSuffix(string(text), "\n")
	raw, err := base64.StdEncoding.Strict().DecodeString(line)
	// The decoder passes over line ends wherever they stand.
	if err != nil || len(raw) == 0 || base64.StdEncoding.EncodeToString(raw) != line {
		return nil, errors.New("signature is not base64 on one line")
	}
	return raw, nil
}

// Manifest makes the manifest of rendered files.
func (d *Draft) Manifest(files []Planned, planDigest string) Manifest {
	m := d.Header(planDigest)
	m.Files = make([]File, 0, len(files))
	for _, f := range files {
		m.Files = append(m.Files, File{Path: f.Path, Target: f.Target, Renderer: f.Renderer, Size: len(f.Content), SHA256: Digest(f.Content)})
	}
	return m
}

// Header is the manifest without its files.
func (d *Draft) Header(planDigest string) Manifest {
	return Manifest{
		Schema:      anchor.Manifest,
		ListID:      d.List.ListID,
		Environment: d.List.Environment,
		Sequence:    d.List.Sequence,
		Issued:      d.List.ThisUpdate,
		NotBefore:   d.List.ThisUpdate,
		Expires:     d.List.NextUpdate,
		Previous:    d.Previous,
		Anchor:      d.Anchor.Thumbprint().String(),
		Journal:     d.Journal,
		Plan:        planDigest,
		Tool:        d.Tool,
	}
}

// SigningTime is the time in every CMS signature of the draft.
func (d *Draft) SigningTime() time.Time { return d.List.ThisUpdate }
