package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Sign signs a digest: RSA PKCS#1 v1.5, RSA-PSS if opts is *rsa.PSSOptions, or
// ECDSA (DER). The random source is the token's own. The signature is verified in
// software before it is returned.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	defer s.lock()()
	switch {
	case s.closed:
		return nil, s.error("", ErrClosed)
	case s.dead != nil:
		return nil, s.error("", fmt.Errorf("%w: %w", ErrDead, s.dead))
	}
	job, err := s.prepare(digest, opts)
	if err != nil {
		return nil, s.error("", fmt.Errorf("%w: %w", ErrDigest, err))
	}
	raw, err := s.callToken(job)
	if err != nil {
		return nil, s.fail(err)
	}
	sig, err := job.finish(raw)
	if err != nil {
		return nil, s.fail(s.error("does the private key belong to the certificate? stop and find out before anything else is signed", err))
	}
	return sig, nil
}

func (s *signer) error(next string, err error) error {
	return &Error{Op: "sign with", What: s.name.String() + " in " + s.c.token.String(), Err: err, Next: next}
}

// job is one signature: what goes to the token, and what makes its answer good.
type job struct {
	mechanism mechanism
	data      []byte
	finish    func(raw []byte) ([]byte, error) // encodes and verifies
}

// prepare refuses whatever a token might sign without understanding it: modules
// take any bytes for a digest.
func (s *signer) prepare(digest []byte, opts crypto.SignerOpts) (job, error) {
	if opts == nil {
		return job{}, errors.New("no hash is named")
	}
	hash := opts.HashFunc()
	h, err := hashFor(hash)
	if err != nil {
		return job{}, err
	}
	if len(digest) != hash.Size() {
		return job{}, fmt.Errorf("the digest has %d bytes, %v has %d", len(digest), hash, hash.Size())
	}
	pss, isPSS := opts.(*rsa.PSSOptions)
	switch pub := s.pub.(type) {
	case *rsa.PublicKey:
		if isPSS {
			return pssJob(pub, hash, h, pss.SaltLength, digest)
		}
		return pkcs1Job(pub, hash, h, digest)
	case *ecdsa.PublicKey:
		if isPSS {
			return job{}, errors.New("RSA-PSS was asked of an EC key")
		}
		return ecdsaJob(pub, digest), nil
	}
	return job{}, fmt.Errorf("a %T cannot verify", s.pub)
}

// tokenHash is a hash as PKCS#11 and PKCS#1 name it.
type tokenHash struct {
	mechanism, mgf uint
	oid            asn1.ObjectIdentifier
}

func hashFor(h crypto.Hash) (tokenHash, error) {
	switch h {
	case crypto.SHA256:
		return tokenHash{ckmSHA256, ckgMGF1SHA256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}, nil
	case crypto.SHA384:
		return tokenHash{ckmSHA384, ckgMGF1SHA384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}}, nil
	case crypto.SHA512:
		return tokenHash{ckmSHA512, ckgMGF1SHA512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}}, nil
	}
	return tokenHash{}, fmt.Errorf("hash %v is not SHA-256, SHA-384 or SHA-512", h)
}

// digestInfo is RFC 8017 section 9.2: the hash named with NULL parameters, and the digest.
func (h tokenHash) digestInfo(digest []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}{pkix.AlgorithmIdentifier{Algorithm: h.oid, Parameters: asn1.NullRawValue}, digest})
}

func pkcs1Job(pub *rsa.PublicKey, hash crypto.Hash, h tokenHash, digest []byte) (job, error) {
	info, err := h.digestInfo(digest)
	return job{mechanism{typ: ckmRSAPKCS}, info, func(raw []byte) ([]byte, error) {
		return raw, verified(rsa.VerifyPKCS1v15(pub, hash, digest, raw))
	}}, err
}

// pssJob takes only a salt as long as the hash: what consumers verify and every token makes.
func pssJob(pub *rsa.PublicKey, hash crypto.Hash, h tokenHash, salt int, digest []byte) (job, error) {
	switch salt {
	case rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, hash.Size():
	default:
		return job{}, fmt.Errorf("a salt of %d bytes was asked for, only the hash's %d are used", salt, hash.Size())
	}
	length := uint(hash.Size())
	return job{mechanism{ckmRSAPKCSPSS, &pssParams{h.mechanism, h.mgf, length}}, digest, func(raw []byte) ([]byte, error) {
		return raw, verified(rsa.VerifyPSS(pub, hash, digest, raw, &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}))
	}}, nil
}

// ecdsaJob signs the leftmost bytes of a digest longer than the group order, as
// the standard says; some tokens refuse to cut it themselves.
func ecdsaJob(pub *ecdsa.PublicKey, digest []byte) job {
	size := (pub.Params().N.BitLen() + 7) / 8
	return job{mechanism{typ: ckmECDSA}, digest[:min(len(digest), size)], func(raw []byte) ([]byte, error) {
		if len(raw) != 2*size {
			return nil, fmt.Errorf("%w: it has %d bytes, not %d", ErrSignature, len(raw), 2*size)
		}
		sig, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])})
		if err != nil {
			return nil, err
		}
		if !ecdsa.VerifyASN1(pub, digest, sig) {
			return nil, ErrSignature
		}
		return sig, nil
	}}
}

func verified(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// callToken runs the operation. A key that wants a login for each signature gets
// it between the two calls, where alone it is allowed.
func (s *signer) callToken(j job) ([]byte, error) {
	what := s.name.String() + " in " + s.c.token.String()
	if err := s.c.m.signInit(s.c.s, j.mechanism, s.key); err != nil {
		return nil, failure("sign with", what, err)
	}
	if s.eachTime {
		s.c.logins++
		if err := s.c.m.login(s.c.s, ckuContextSpecific, s.c.pin); err != nil {
			return nil, s.c.loginFailure("confirm one signature with the PIN of", err)
		}
	}
	raw, err := s.c.m.sign(s.c.s, j.data)
	if err != nil {
		return nil, failure("sign with", what, err)
	}
	s.c.signatures++
	return raw, nil
}
