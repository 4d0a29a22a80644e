package gateway

import (
	"bytes"
	"crypto"
	"encoding/base64"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

const oidKeyUsage = "2.5.29.15"

// CheckAnchor says whether the deployed gateway can verify operator signatures of
// this EFGSTA, and if not why and what to do (error wraps ErrUnfit and has Hint).
//
// The gateway verifies with the algorithm by which the EFGSTA's own certificate
// was signed. So that certificate has to be self-signed, and by an algorithm that
// Java verifies without being told parameters.
func CheckAnchor(anchor *cert.Certificate) error {
	if anchor == nil || anchor.PublicKey == nil {
		return unfit(hintNewAnchor, "the EFGSTA has no readable public key")
	}
	if len(anchor.Faults) > 0 {
		f := anchor.Faults[0]
		return unfit(hintNewAnchor, "the EFGSTA's %s is not well encoded (byte %d: %s)", f.Path, f.Offset, f.Msg)
	}
	if !anchor.SelfIssued() || !bytes.Equal(anchor.Subject.Raw, anchor.Issuer.Raw) {
		return unfit(hintNewAnchor, "the EFGSTA is not self-signed, and the gateway takes the algorithm from its issuer's signature")
	}
	if err := checkAnchorAlgorithm(anchor.Algorithm, anchor.PublicKey); err != nil {
		return err
	}
	if err := checkAnchorUsage(anchor); err != nil {
		return err
	}
	if err := anchor.CheckSelfSignature(); err != nil {
		return unfit(hintNewAnchor, "the EFGSTA's signature is not its own: %v", err)
	}
	return nil
}

func checkAnchorAlgorithm(a sigalg.Algorithm, k *sigalg.PublicKey) error {
	switch a.Scheme {
	case sigalg.RSAPSS:
		return unfit(hintNewAnchor, "the EFGSTA is signed with RSASSA-PSS, for which the gateway's verifier would need parameters that nobody gives it")
	case sigalg.DSA:
		return unfit(hintNewAnchor, "the EFGSTA is signed with DSA, which member states' clients do not verify")
	case sigalg.RSAPKCS1v15, sigalg.ECDSA:
	default:
		return unfit(hintNewAnchor, "the EFGSTA is signed with an algorithm that the gateway does not have (%s)", a.OID)
	}
	switch a.Hash {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
	default:
		return unfit(hintNewAnchor, "the EFGSTA is signed with %s, not with SHA-256, SHA-384 or SHA-512", a)
	}
	if a.Scheme == sigalg.ECDSA {
		return checkAnchorCurve(k)
	}
	if k.Algorithm != "RSA" || k.N == nil {
		return unfit(hintNewAnchor, "the EFGSTA's key is %s, its signature %s", k.Algorithm, a)
	}
	if n := base64.StdEncoding.EncodedLen((k.N.BitLen() + 7) / 8); n > MaxSignature {
		return unfit(hintNewAnchor, "a signature with %d bits of RSA has %d characters of base64, the column holds %d", k.N.BitLen(), n, MaxSignature)
	}
	return nil
}

func checkAnchorCurve(k *sigalg.PublicKey) error {
	switch {
	case k.Algorithm != "EC":
		return unfit(hintNewAnchor, "the EFGSTA's key is %s, its signature ECDSA", k.Algorithm)
	case k.ExplicitCurve:
		return unfit(hintNewAnchor, "the EFGSTA's key spells its curve out instead of naming it, which Java cannot read")
	case k.Curve == nil:
		return unfit(hintNewAnchor, "the EFGSTA's key is on an unknown curve (%s)", k.CurveOID)
	case !namedByJava(k.Curve.Name):
		return unfit(hintNewAnchor, "the EFGSTA's key is on %s, which the gateway's Java does not have", k.Curve.Name)
	}
	return nil
}

// checkAnchorUsage: Java refuses to verify with a certificate whose key usage is
// critical and lacks digitalSignature; a key usage that is not critical it ignores.
func checkAnchorUsage(anchor *cert.Certificate) error {
	for _, e := range anchor.Extensions {
		if e.OID != oidKeyUsage || !e.Critical {
			continue
		}
		if anchor.KeyUsage == nil || *anchor.KeyUsage&cert.DigitalSignature == 0 {
			return unfit(hintNewAnchor, "the EFGSTA's key usage is critical and without digitalSignature, so the gateway will not verify with it")
		}
	}
	return nil
}
