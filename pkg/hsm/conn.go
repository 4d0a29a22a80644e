package hsm

import "errors"

// conn is an initialised module with one session to one token.
type conn struct {
	m     module
	file  moduleFile
	token token
	slot  uint
	s     session
	live  bool   // s is open
	pin   []byte // kept while a key may need it for each signature

	logins, signatures int
}

// connect initialises the module, opens a session to the one token that matches
// and logs in. On an error nothing is left open.
func connect(c Config, m module, file moduleFile, readWrite bool) (*conn, error) {
	return connectAfter(c, m, file, readWrite, func(*conn) error { return nil })
}

// connectAfter is connect with a check of the token once it is found, before the login.
func connectAfter(c Config, m module, file moduleFile, readWrite bool, check func(*conn) error) (*conn, error) {
	if err := initialize(c, m, file); err != nil {
		return nil, err
	}
	conn := &conn{m: m, file: file}
	if err := conn.start(c, readWrite, check); err != nil {
		_ = conn.close() // the first error is the one to tell
		return nil, err
	}
	return conn, nil
}

// initialize starts the module. After a failure it is not finalized: whoever
// initialised it before is still using it.
func initialize(c Config, m module, file moduleFile) error {
	err := m.initialize(c.InitArgs)
	if err == nil {
		return nil
	}
	e := failure("initialise", quote(file.path), err)
	// SoftHSM says no more than this for every trouble with its configuration.
	if errors.Is(err, ckrGeneralError) || errors.Is(err, ckrArgumentsBad) {
		e.Next = "check the module's configuration; for SoftHSM SOFTHSM2_CONF and the rights on its token directory, for NSS the initialisation arguments"
	}
	return e
}

func (c *conn) start(config Config, readWrite bool, check func(*conn) error) error {
	var err error
	if c.slot, c.token, err = findToken(c.m, config.URI, c.file.path); err != nil {
		return err
	}
	if err := check(c); err != nil {
		return err
	}
	if c.s, err = c.m.openSession(c.slot, readWrite); err != nil {
		return failure("open", c.token.String(), err)
	}
	c.live = true
	if c.pin, err = readPIN(config, c.file.path, c.token); err != nil {
		return err
	}
	return c.login(c.pin)
}

// forgetPIN zeroes the PIN.
func (c *conn) forgetPIN() {
	clear(c.pin)
	c.pin = nil
}

// drop closes the session after an error in it: an operation may have stayed
// open inside. Errors are of no use any more.
func (c *conn) drop() {
	c.forgetPIN()
	if c.live {
		c.live = false
		_ = c.m.closeSession(c.s)
	}
}

// close ends session, login and module.
func (c *conn) close() error {
	c.forgetPIN()
	var errs []error
	if c.live {
		c.live = false
		errs = append(errs, c.m.logout(c.s), c.m.closeSession(c.s))
	}
	errs = append(errs, c.m.finalize())
	if err := errors.Join(errs...); err != nil {
		return failure("close", c.token.String(), err)
	}
	return nil
}
