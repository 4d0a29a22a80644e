//go:build cgo

package hsm

import (
	"errors"
	"strings"
	"unsafe"

	"github.com/miekg/pkcs11"
)

const built = true

// load maps the module into the process. It is never unmapped: dlclose of such
// libraries is known to crash at exit, and their fork handlers outlive it.
func load(f moduleFile) (module, error) {
	defer inModule()() // its constructors run now
	ctx := pkcs11.New(f.path)
	if ctx == nil {
		return nil, f.loadFailed()
	}
	return binding{ctx}, nil
}

// loadFailed is for a file that passed preflight and still does not load.
func (f moduleFile) loadFailed() error {
	next := "a library that it needs may be missing: ldd " + f.path
	if len(f.needs) > 0 {
		next = "a library that it needs may be missing: " + strings.Join(f.needs, ", ") + " (see ldd " + f.path + ")"
	}
	return &Error{Op: "load module", What: quote(f.path), Err: errors.New("the system could not load it"), Next: next}
}

// binding is module over miekg/pkcs11. Each call says that it is inside of the
// module, so that a crash there is told from one of ours.
type binding struct{ ctx *pkcs11.Ctx }

// result turns the binding's error into ours.
func result(err error) error {
	var e pkcs11.Error
	if errors.As(err, &e) {
		return rv(e)
	}
	return err
}

func (b binding) initialize(args string) error {
	defer inModule()()
	if args == "" {
		return result(b.ctx.Initialize())
	}
	// Go memory without pointers in it may be lent to C for the length of the call.
	reserved := append([]byte(args), 0)
	return result(b.ctx.Initialize(pkcs11.InitializeWithReserved(unsafe.Pointer(&reserved[0]))))
}

func (b binding) finalize() error {
	defer inModule()()
	return result(b.ctx.Finalize())
}

func (b binding) slots() ([]uint, error) {
	defer inModule()()
	slots, err := b.ctx.GetSlotList(true)
	return slots, result(err)
}

func (b binding) token(slot uint) (token, error) {
	defer inModule()()
	t, err := b.ctx.GetTokenInfo(slot)
	if err != nil {
		return token{}, result(err)
	}
	// Padded with blanks by the standard, with NULs by some.
	trim := func(s string) string { return strings.TrimRight(s, " \x00") }
	return token{
		label: trim(t.Label), serial: trim(t.SerialNumber), manufacturer: trim(t.ManufacturerID), model: trim(t.Model),
		flags: t.Flags, minPIN: t.MinPinLen, maxPIN: t.MaxPinLen,
	}, nil
}

func (b binding) mechanisms(slot uint) ([]uint, error) {
	defer inModule()()
	found, err := b.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, result(err)
	}
	types := make([]uint, len(found))
	for i, m := range found {
		types[i] = m.Mechanism
	}
	return types, nil
}

func (b binding) mechanismInfo(slot, typ uint) (mechanismInfo, error) {
	defer inModule()()
	info, err := b.ctx.GetMechanismInfo(slot, []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, nil)})
	return mechanismInfo{info.MinKeySize, info.MaxKeySize, info.Flags}, result(err)
}

func (b binding) openSession(slot uint, readWrite bool) (session, error) {
	defer inModule()()
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if readWrite {
		flags |= pkcs11.CKF_RW_SESSION
	}
	s, err := b.ctx.OpenSession(slot, flags)
	return session(s), result(err)
}

func (b binding) closeSession(s session) error {
	defer inModule()()
	return result(b.ctx.CloseSession(pkcs11.SessionHandle(s)))
}

// login views the PIN as a string without copying it: one copy less to forget.
// The binding's own C copy is freed but not erased.
func (b binding) login(s session, user uint, pin []byte) error {
	defer inModule()()
	return result(b.ctx.Login(pkcs11.SessionHandle(s), user, unsafe.String(unsafe.SliceData(pin), len(pin))))
}

func (b binding) logout(s session) error {
	defer inModule()()
	return result(b.ctx.Logout(pkcs11.SessionHandle(s)))
}

// find reads until the list is empty and always ends the search: an open one
// makes the next search fail.
func (b binding) find(s session, template []attribute) (found []object, err error) {
	defer inModule()()
	sh := pkcs11.SessionHandle(s)
	if err := b.ctx.FindObjectsInit(sh, attributes(template)); err != nil {
		return nil, result(err)
	}
	defer func() { err = errors.Join(err, result(b.ctx.FindObjectsFinal(sh))) }()
	for {
		batch, _, err := b.ctx.FindObjects(sh, findBatch)
		if err != nil {
			return nil, result(err)
		}
		if len(batch) == 0 {
			return found, nil
		}
		for _, o := range batch {
			found = append(found, object(o))
		}
	}
}

const findBatch = 16

// attribute asks for one only: one that the token does not know would fail a whole batch.
func (b binding) attribute(s session, o object, typ uint) ([]byte, error) {
	defer inModule()()
	a, err := b.ctx.GetAttributeValue(pkcs11.SessionHandle(s), pkcs11.ObjectHandle(o), []*pkcs11.Attribute{pkcs11.NewAttribute(typ, nil)})
	if err != nil {
		return nil, result(err)
	}
	return a[0].Value, nil
}

func (b binding) signInit(s session, m mechanism, key object) error {
	defer inModule()()
	var parameter any
	if m.pss != nil {
		parameter = pkcs11.NewPSSParams(m.pss.hash, m.pss.mgf, m.pss.salt)
	}
	return result(b.ctx.SignInit(pkcs11.SessionHandle(s), []*pkcs11.Mechanism{pkcs11.NewMechanism(m.typ, parameter)}, pkcs11.ObjectHandle(key)))
}

func (b binding) sign(s session, data []byte) ([]byte, error) {
	defer inModule()()
	sig, err := b.ctx.Sign(pkcs11.SessionHandle(s), data)
	return sig, result(err)
}

func (b binding) generateKeyPair(s session, mechanism uint, public, private []attribute) (pub, priv object, err error) {
	defer inModule()()
	p, q, err := b.ctx.GenerateKeyPair(pkcs11.SessionHandle(s), []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, attributes(public), attributes(private))
	return object(p), object(q), result(err)
}

func (b binding) destroy(s session, o object) error {
	defer inModule()()
	return result(b.ctx.DestroyObject(pkcs11.SessionHandle(s), pkcs11.ObjectHandle(o)))
}

func attributes(in []attribute) []*pkcs11.Attribute {
	out := make([]*pkcs11.Attribute, len(in))
	for i, a := range in {
		out[i] = pkcs11.NewAttribute(a.typ, a.value)
	}
	return out
}
