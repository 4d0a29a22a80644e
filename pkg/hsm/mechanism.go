package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
)

// mechanismInfo is CK_MECHANISM_INFO. Sizes are in bits, or in bytes with some tokens; 0: not told.
type mechanismInfo struct {
	minSize, maxSize uint
	flags            uint
}

// fits reports whether a key of that many bits is one that the mechanism takes.
func (m mechanismInfo) fits(bits uint, rsa bool) bool {
	// Some tokens count bytes for RSA, against the standard; no token stops at 1024 bits.
	if rsa && m.maxSize != 0 && m.maxSize <= 1024 {
		bits = (bits + 7) / 8
	}
	return bits >= m.minSize && (m.maxSize == 0 || bits <= m.maxSize)
}

// route is a way to have something signed: over a digest that is made here, or, for
// tokens that take nothing else, over the message, which the token hashes.
type route struct {
	digest, message uint
}

// routeFor names the two mechanisms of a scheme.
func routeFor(pub crypto.PublicKey, pss bool, h tokenHash) route {
	switch {
	case !isRSA(pub):
		return route{ckmECDSA, h.ecdsa}
	case pss:
		return route{ckmRSAPKCSPSS, h.rsaPSS}
	}
	return route{ckmRSAPKCS, h.rsaPKCS1}
}

func isRSA(pub crypto.PublicKey) bool {
	_, ok := pub.(*rsa.PublicKey)
	return ok
}

// choose takes the mechanism over the digest where the token has it, since then
// nothing but the digest has to be trusted to the token; else the one over the message.
func (s *signer) choose(r route) (typ uint, overMessage bool, err error) {
	if s.can == nil {
		s.can = map[uint]bool{}
	}
	for _, typ := range []uint{r.digest, r.message} {
		usable, known := s.can[typ]
		if !known {
			if usable, err = s.c.canSign(typ, s.pub); err != nil {
				return 0, false, err
			}
			s.can[typ] = usable
		}
		if usable {
			s.noteMechanism(typ)
			return typ, typ == r.message, nil
		}
	}
	return 0, false, fmt.Errorf("the token offers neither %s nor %s for a key of this size", mechanismName(r.digest), mechanismName(r.message))
}

// canSign asks the token for a mechanism.
func (c *conn) canSign(typ uint, pub crypto.PublicKey) (bool, error) {
	info, err := c.m.mechanismInfo(c.slot, typ)
	if errors.Is(err, ckrMechanismInvalid) {
		return false, nil
	}
	if err != nil {
		return false, failure("ask for "+mechanismName(typ)+" of", c.token.String(), err)
	}
	return info.flags&ckfSign != 0 && info.fits(keyBits(pub), isRSA(pub)), nil
}

// noteMechanism keeps the choice, to be shown.
func (s *signer) noteMechanism(typ uint) {
	if name := mechanismName(typ); !slices.Contains(s.info.Mechanisms, name) {
		s.info.Mechanisms = append(slices.Clone(s.info.Mechanisms), name)
	}
}

func keyBits(pub crypto.PublicKey) uint {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return uint(k.N.BitLen())
	case *ecdsa.PublicKey:
		return uint(k.Params().BitSize)
	}
	return 0
}

// mechanismName names those that this package may use; others are shown by number.
func mechanismName(typ uint) string {
	for _, m := range mechanismTable() {
		if m.typ == typ {
			return m.name
		}
	}
	return fmt.Sprintf("0x%X", typ)
}

type namedMechanism struct {
	typ  uint
	name string
}

func mechanismTable() []namedMechanism {
	return []namedMechanism{
		{ckmRSAKeyPairGen, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
		{ckmRSAPKCS, "CKM_RSA_PKCS"},
		{ckmRSAPKCSPSS, "CKM_RSA_PKCS_PSS"},
		{ckmSHA256RSAPKCS, "CKM_SHA256_RSA_PKCS"},
		{ckmSHA384RSAPKCS, "CKM_SHA384_RSA_PKCS"},
		{ckmSHA512RSAPKCS, "CKM_SHA512_RSA_PKCS"},
		{ckmSHA256RSAPKCSPSS, "CKM_SHA256_RSA_PKCS_PSS"},
		{ckmSHA384RSAPKCSPSS, "CKM_SHA384_RSA_PKCS_PSS"},
		{ckmSHA512RSAPKCSPSS, "CKM_SHA512_RSA_PKCS_PSS"},
		{ckmECKeyPairGen, "CKM_EC_KEY_PAIR_GEN"},
		{ckmECDSA, "CKM_ECDSA"},
		{ckmECDSASHA256, "CKM_ECDSA_SHA256"},
		{ckmECDSASHA384, "CKM_ECDSA_SHA384"},
		{ckmECDSASHA512, "CKM_ECDSA_SHA512"},
	}
}

// usableAlgorithms says in the words of --algorithm what a token can sign with.
func usableAlgorithms(offered []Mechanism) []string {
	has := func(names ...string) bool {
		return slices.ContainsFunc(offered, func(m Mechanism) bool { return m.Sign && slices.Contains(names, m.Name) })
	}
	var out []string
	if has("CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS") {
		out = append(out, "rsa")
	}
	if has("CKM_RSA_PKCS_PSS", "CKM_SHA256_RSA_PKCS_PSS") {
		out = append(out, "rsa-pss")
	}
	if has("CKM_ECDSA", "CKM_ECDSA_SHA256") {
		out = append(out, "ecdsa")
	}
	return out
}
