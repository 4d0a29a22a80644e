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
// software before it is returned. A token that hashes by itself or not at all
// needs SignMessage; here it is refused.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(input{digest: digest}, opts)
}

// SignMessage is Sign over the message itself. It makes the digest here where the
// token takes one, and hands the message over where it takes nothing else.
func (s *signer) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	in := input{message: message, hasMessage: true}
	if opts != nil {
		if _, err := hashFor(opts.HashFunc()); err == nil { // what is not a hash of ours, prepare refuses
			h := opts.HashFunc().New()
			h.Write(message)
			in.digest = h.Sum(nil)
		}
	}
	return s.sign(in, opts)
}

// input is what is to be signed; the message only where the caller has it.
type input struct {
	digest, message []byte
	hasMessage      bool
}

func (s *signer) sign(in input, opts crypto.SignerOpts) ([]byte, error) {
	defer s.lock()()
	switch {
	case s.closed:
		return nil, s.error("", ErrClosed)
	case s.dead != nil:
		return nil, s.error("", fmt.Errorf("%w: %w", ErrDead, s.dead))
	}
	job, err := s.prepare(in, opts)
	var token *Error
	if errors.As(err, &token) {
		return nil, s.fail(err)
	}
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
	mechanism mechanism // its type is chosen last
	data      []byte
	finish    func(raw []byte) ([]byte, error) // encodes and verifies
}

// prepare refuses whatever a token might sign without understanding it: modules
// take any bytes for a digest. An *Error is the token's; it ends the run.
func (s *signer) prepare(in input, opts crypto.SignerOpts) (job, error) {
	if opts == nil {
		return job{}, errors.New("no hash is named")
	}
	hash := opts.HashFunc()
	h, err := hashFor(hash)
	if err != nil {
		return job{}, err
	}
	if len(in.digest) != hash.Size() {
		return job{}, fmt.Errorf("the digest has %d bytes, %v has %d", len(in.digest), hash, hash.Size())
	}
	pss, isPSS := opts.(*rsa.PSSOptions)
	var j job
	switch pub := s.pub.(type) {
	case *rsa.PublicKey:
		if isPSS {
			j, err = pssJob(pub, hash, h, pss.SaltLength, in.digest)
		} else {
			j, err = pkcs1Job(pub, hash, h, in.digest)
		}
	case *ecdsa.PublicKey:
		if isPSS {
			return job{}, errors.New("RSA-PSS was asked of an EC key")
		}
		j = ecdsaJob(pub, in.digest)
	default:
		return job{}, fmt.Errorf("a %T cannot verify", s.pub)
	}
	if err != nil {
		return job{}, err
	}
	typ, overMessage, err := s.choose(routeFor(s.pub, isPSS, h))
	if err != nil {
		return job{}, err
	}
	j.mechanism.typ = typ
	if overMessage {
		if !in.hasMessage {
			return job{}, fmt.Errorf("the token only signs messages that it hashes itself (%s)", mechanismName(typ))
		}
		j.data = in.message
	}
	return j, nil
}

// tokenHash is a hash as PKCS#11 and PKCS#1 name it.
type tokenHash struct {
	mechanism, mgf          uint
	rsaPKCS1, rsaPSS, ecdsa uint // the mechanisms that hash in the token
	oid                     asn1.ObjectIdentifier
}

func hashFor(h crypto.Hash) (tokenHash, error) {
	switch h {
	case crypto.SHA256:
		return tokenHash{ckmSHA256, ckgMGF1SHA256, ckmSHA256RSAPKCS, ckmSHA256RSAPKCSPSS, ckmECDSASHA256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}, nil
	case crypto.SHA384:
		return tokenHash{ckmSHA384, ckgMGF1SHA384, ckmSHA384RSAPKCS, ckmSHA384RSAPKCSPSS, ckmECDSASHA384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}}, nil
	case crypto.SHA512:
		return tokenHash{ckmSHA512, ckgMGF1SHA512, ckmSHA512RSAPKCS, ckmSHA512RSAPKCSPSS, ckmECDSASHA512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}}, nil
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
	return job{mechanism{}, info, func(raw []byte) ([]byte, error) {
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
	return job{mechanism{pss: &pssParams{h.mechanism, h.mgf, length}}, digest, func(raw []byte) ([]byte, error) {
		return raw, verified(rsa.VerifyPSS(pub, hash, digest, raw, &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}))
	}}, nil
}

// ecdsaJob signs the leftmost bytes of a digest longer than the group order, as
// the standard says; some tokens refuse to cut it themselves.
func ecdsaJob(pub *ecdsa.PublicKey, digest []byte) job {
	size := (pub.Params().N.BitLen() + 7) / 8
	return job{mechanism{}, digest[:min(len(digest), size)], func(raw []byte) ([]byte, error) {
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
