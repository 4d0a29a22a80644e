package registry

import (
	"time"

	"github.com/efgsta/efgsta/pkg/vet"
)

// The journal's event types and their data. A type's name and members never change
// meaning; new facts get new members or new types.
const (
	EventInit       = "workspace.initialised"
	EventAnchor     = "anchor.created"
	EventMember     = "member.added"
	EventSubmission = "submission.received"
	EventConfirmed  = "submission.confirmed"
	EventRefusal    = "submission.refused"
	EventEvidence   = "submission.evidence"
	EventReleased   = "released"
	EventImported   = "anchor.imported"
	EventAnnounced  = "anchor.announced"
	EventProposal   = "proposal.made"
	EventApprover   = "approver.proposed"
)

// InitData opens a journal.
type InitData struct {
	ListID      string      `json:"listId"`
	Environment Environment `json:"environment"`
	Policy      string      `json:"policy"`
	Tool        string      `json:"tool"`
}

// AnchorData records the EFGSTA certificate; its DER is the object of that name.
type AnchorData struct {
	SHA256    string    `json:"sha256"`
	Subject   string    `json:"subject"`
	Algorithm string    `json:"algorithm"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Key       string    `json:"key"` // where the private key was: file:… or a PKCS#11 URI
	// What the token said it and the key are, ID in hex; absent for a key in a file, and
	// in what older versions wrote.
	Serial string `json:"serial,omitempty"`
	KeyID  string `json:"keyId,omitempty"`
}

// ImportData records an EFGSTA certificate that was made elsewhere, and the proof that
// its private key was at hand.
type ImportData struct {
	AnchorData
	File      string `json:"file"` // base name as it came
	Nonce     []byte `json:"nonce"`
	Signature []byte `json:"signature"`
}

// AnnouncementData records the next EFGSTA and the old one's statement about it. The
// certificate, the statement and its signatures are objects.
type AnnouncementData struct {
	Old       string     `json:"old"` // SHA-256 of the certificate
	Next      AnchorData `json:"next"`
	From      time.Time  `json:"from"`
	Statement string     `json:"statementSha256"`
	Signature string     `json:"signatureSha256"` // of the .sig file: base64, by the old EFGSTA
	CMS       string     `json:"cmsSha256"`
}

// MemberData adds a member state.
type MemberData struct {
	Country  string   `json:"country"`
	Name     string   `json:"name"`
	Contacts []string `json:"contacts"`
}

// SubmissionData records what a member state brought. The certificates are objects,
// and so are files that held nothing else.
type SubmissionData struct {
	Country      string                 `json:"country"`
	ConfirmedBy  string                 `json:"confirmedBy"` // how the fingerprint was read back, "" if not yet
	Certificates []SubmittedCertificate `json:"certificates"`
}

// SubmittedCertificate is one certificate of a submission, with the verdict of that day.
type SubmittedCertificate struct {
	Type    vet.Role    `json:"type"`
	SHA256  string      `json:"sha256"`
	Subject string      `json:"subject"`
	File    string      `json:"file"`       // base name as it came
	Object  string      `json:"fileSha256"` // of the file as received
	Kept    bool        `json:"fileKept"`   // the file is an object: it held certificates and nothing else
	Chosen  string      `json:"chosen"`     // why this certificate of the file
	Verdict vet.Verdict `json:"verdict"`
	Policy  string      `json:"policySha256"`
	// Rule ids: what failed, at any severity, and what lacked its evidence.
	Failed       []string `json:"failed"`
	NotEvaluated []string `json:"notEvaluated"`
}

// ConfirmationData records that fingerprints were read back after the submission
// (Governance 3.2).
type ConfirmationData struct {
	Country      string   `json:"country"`
	ConfirmedBy  string   `json:"confirmedBy"`
	Certificates []string `json:"certificates"` // SHA-256
}

// RefusalData records a submission that was not taken in, without its bytes.
type RefusalData struct {
	Country string `json:"country"`
	File    string `json:"file"` // base name
	Reason  string `json:"reason"`
}

// ReleasedData records a published release.
type ReleasedData struct {
	Sequence  uint64 `json:"sequence"`
	Manifest  string `json:"manifest"`  // SHA-256 of manifest.json
	TrustList string `json:"trustList"` // SHA-256 of the list
	Plan      string `json:"plan"`      // digest of the plan that was signed
	Anchor    string `json:"anchor"`
	Files     int    `json:"files"`
	Signed    int    `json:"signatures"` // made in this release; 0 when adopted after an interruption

	Approvals []ReleaseApproval `json:"approvals,omitempty"` // those of the plan, in order of name
	Signer    *ReleaseApproval  `json:"signer,omitempty"`    // who said to have signed
	Proposals []uint64          `json:"proposals,omitempty"` // events that came into force with it
}

// ReleaseApproval names a statement of a person about the plan of a release.
type ReleaseApproval struct {
	Name      string `json:"name"`
	KeySHA256 string `json:"keySha256"`
	SHA256    string `json:"sha256"` // of the file in the release's record
}
