package cms

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/efgsta/efgsta/pkg/der"
)

const (
	// foreignDepth is the deepest nesting that is followed; certificates are read apart from the rest.
	foreignDepth = 16
	// maxParts is the largest number of digest algorithms, certificates or signed attributes.
	maxParts = 64
)

// foreign is a SignedData of one signer as others encode it, nothing verified.
type foreign struct {
	version            int
	digestAlgorithms   []algorithmID
	attached           bool
	content            []byte
	certificates       [][]byte // whole
	signerVersion      int
	issuer, serial     []byte // whole, contents
	keyID              []byte // instead of these two
	digestAlgorithm    algorithmID
	attributes         [][]byte // whole; nil without signed attributes
	signatureAlgorithm algorithmID
	signature          []byte
}

// readForeign takes a message apart, RFC 5652 3, 5.1 and 5.3.
func readForeign(p7 []byte) (*foreign, error) {
	r, err := der.NewReader(p7, der.Limits{Bytes: MaxForeign, Depth: foreignDepth}, der.BER)
	if err != nil {
		return nil, err
	}
	info, err := inside(r, der.TagSequence)
	if err != nil {
		return nil, err
	}
	if err := end(r); err != nil {
		return nil, err
	}
	if err := takeOID(info, oidSignedData.String()); err != nil {
		return nil, fmt.Errorf("not a CMS SignedData: %w", err)
	}
	explicit, err := insideContext(info, 0)
	if err != nil {
		return nil, err
	}
	if err := end(info); err != nil {
		return nil, err
	}
	data, err := inside(explicit, der.TagSequence)
	if err != nil {
		return nil, err
	}
	if err := end(explicit); err != nil {
		return nil, err
	}
	var m foreign
	if err := m.readData(data); err != nil {
		return nil, fmt.Errorf("SignedData: %w", err)
	}
	return &m, nil
}

func (m *foreign) readData(data *der.Reader) (err error) {
	if m.version, err = takeInt(data); err != nil {
		return err
	}
	set, err := inside(data, der.TagSet)
	if err != nil {
		return err
	}
	for set.More() {
		e, err := take(set, der.TagSequence)
		if err != nil {
			return err
		}
		id, err := readAlgorithm(e)
		if err != nil {
			return err
		}
		if m.digestAlgorithms = append(m.digestAlgorithms, id); len(m.digestAlgorithms) > maxParts {
			return fmt.Errorf("more than %d digest algorithms", maxParts)
		}
	}
	encap, err := inside(data, der.TagSequence)
	if err != nil {
		return err
	}
	if err := m.readContent(encap); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	e, err := data.Next()
	if err == nil && e.IsContext(0) {
		if m.certificates, err = partsOf(data, e, der.TagSequence); err != nil {
			return fmt.Errorf("certificates: %w", err)
		}
		e, err = data.Next()
	}
	if err == nil && e.IsContext(1) { // CRLs
		e, err = data.Next()
	}
	if err != nil {
		return err
	}
	if !e.Is(der.TagSet) {
		return errors.New("no signers")
	}
	if err := end(data); err != nil {
		return err
	}
	infos, err := data.Enter(e)
	if err != nil {
		return err
	}
	one, err := inside(infos, der.TagSequence)
	if err != nil || infos.More() {
		return errors.New("there is not exactly one signer")
	}
	if err := m.readSigner(one); err != nil {
		return fmt.Errorf("SignerInfo: %w", err)
	}
	return nil
}

func (m *foreign) readContent(encap *der.Reader) error {
	if err := takeOID(encap, oidData.String()); err != nil {
		return fmt.Errorf("the content type is not id-data: %w", err)
	}
	if !encap.More() {
		return nil
	}
	explicit, err := insideContext(encap, 0)
	if err != nil {
		return err
	}
	if err := end(encap); err != nil {
		return err
	}
	e, err := explicit.Next()
	if err != nil {
		return err
	}
	m.attached = true
	if m.content, err = octets(explicit, e); err != nil {
		return err
	}
	return end(explicit)
}

func (m *foreign) readSigner(in *der.Reader) (err error) {
	if m.signerVersion, err = takeInt(in); err != nil {
		return err
	}
	sid, err := in.Next()
	if err != nil {
		return err
	}
	switch {
	case sid.IsContext(0) && !sid.Constructed && len(sid.Content) > 0:
		m.keyID = sid.Content
	case sid.Is(der.TagSequence):
		name, err := in.Enter(sid)
		if err != nil {
			return err
		}
		issuer, err := take(name, der.TagSequence)
		if err != nil {
			return err
		}
		serial, err := take(name, der.TagInteger)
		if err != nil {
			return err
		}
		m.issuer, m.serial = issuer.Raw, serial.Content
		if err := end(name); err != nil {
			return err
		}
	default:
		return errors.New("the signer is named neither by issuer and serial number nor by key identifier")
	}
	e, err := take(in, der.TagSequence)
	if err != nil {
		return err
	}
	if m.digestAlgorithm, err = readAlgorithm(e); err != nil {
		return err
	}
	if e, err = in.Next(); err == nil && e.IsContext(0) {
		if m.attributes, err = partsOf(in, e, der.TagSequence); err != nil {
			return fmt.Errorf("signed attributes: %w", err)
		}
		if len(m.attributes) == 0 {
			return errors.New("the set of signed attributes is empty")
		}
		e, err = in.Next()
	}
	if err != nil {
		return err
	}
	if m.signatureAlgorithm, err = readAlgorithm(e); err != nil {
		return err
	}
	if e, err = in.Next(); err != nil {
		return err
	}
	if m.signature, err = octets(in, e); err != nil {
		return err
	}
	if in.More() { // unsigned attributes
		if e, err = in.Next(); err != nil {
			return err
		}
		if !e.IsContext(1) {
			return errors.New(e.Kind() + " where unsigned attributes may be")
		}
	}
	return end(in)
}

// octets reads an OCTET STRING, which BER may cut into chunks.
func octets(r *der.Reader, e der.Element) ([]byte, error) {
	if !e.Is(der.TagOctetString) {
		return nil, errors.New("OCTET STRING expected, found " + e.Kind())
	}
	if !e.Constructed {
		return e.Content, nil
	}
	out := make([]byte, 0, len(e.Content))
	err := chunks(r, e, &out)
	return out, err
}

// chunks is recursive, held to the reader's depth.
func chunks(r *der.Reader, e der.Element, out *[]byte) error {
	in, err := r.Enter(e)
	if err != nil {
		return err
	}
	for in.More() {
		c, err := take(in, der.TagOctetString)
		if err != nil {
			return err
		}
		if c.Constructed {
			err = chunks(in, c, out)
		} else {
			*out = append(*out, c.Content...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// algorithmID is an AlgorithmIdentifier.
type algorithmID struct {
	oid        string
	parameters []byte // whole; nil if absent
	raw        []byte // with the tag of a SEQUENCE
}

// readAlgorithm reads an AlgorithmIdentifier of whatever tag, which must be DER.
func readAlgorithm(e der.Element) (algorithmID, error) {
	id := algorithmID{raw: bytes.Clone(e.Raw)}
	if !e.Constructed {
		return id, errors.New("AlgorithmIdentifier expected, found " + e.Kind())
	}
	if err := der.Check(e.Raw, der.Limits{}); err != nil {
		return id, fmt.Errorf("AlgorithmIdentifier: %w", err)
	}
	id.raw[0] = 0x30
	in, err := enter(e)
	if err != nil {
		return id, err
	}
	oid, err := take(in, der.TagOID)
	if err != nil {
		return id, err
	}
	if id.oid, err = oid.OID(); err != nil || !in.More() {
		return id, err
	}
	parameters, err := in.Next()
	if err != nil {
		return id, err
	}
	id.parameters = parameters.Raw
	return id, end(in)
}

// plain reports whether there are no parameters, or NULL, which are the same to all algorithms but RSASSA-PSS.
func (id algorithmID) plain() bool {
	return id.parameters == nil || bytes.Equal(id.parameters, []byte{der.TagNull, 0})
}

func (id algorithmID) equivalent(other algorithmID) bool {
	return id.oid == other.oid && (bytes.Equal(id.parameters, other.parameters) || id.plain() && other.plain())
}
