package hsm

import "errors"

// checkKey refuses a configuration that does not say which token and which key. Like
// every URI that says too little or too much, that is a *URIError: no token was asked.
func (c Config) checkKey() error {
	if err := c.checkToken(); err != nil {
		return err
	}
	if c.URI.Object == "" && len(c.URI.ID) == 0 {
		return &URIError{Reason: quote(c.URI.String()) + " names no key", Next: "add object=LABEL or id=%01… to the URI"}
	}
	return nil
}

func (c Config) checkToken() error {
	// A PIN goes to a token that the operator named, never to whichever is plugged in.
	if c.URI.Token == "" && c.URI.Serial == "" {
		return &URIError{Reason: quote(c.URI.String()) + " names no token", Next: "add token=LABEL or serial=NUMBER to the URI"}
	}
	return nil
}

func (c Config) checkGenerate(algorithm string) (keySpec, error) {
	if err := c.checkToken(); err != nil {
		return keySpec{}, err
	}
	if c.URI.Object == "" {
		return keySpec{}, &URIError{Reason: quote(c.URI.String()) + " names no label for the new key", Next: "add object=LABEL to the URI"}
	}
	if len(c.URI.ID) != 0 {
		return keySpec{}, &URIError{Reason: quote(c.URI.String()) + " names a key ID, but a new key gets a random one", Next: "leave id out"}
	}
	return keySpecFor(algorithm)
}

// modulePath is the one place that the module is named at.
func (c Config) modulePath() (string, error) {
	switch {
	case c.Module == "" && c.URI.ModulePath == "":
		return "", &Error{Op: "load", What: "PKCS#11 module", Err: errors.New("no module is named"), Next: "give the path of the vendor's PKCS#11 library, for SoftHSM /usr/lib/softhsm/libsofthsm2.so"}
	case c.Module == "":
		return c.URI.ModulePath, nil
	case c.URI.ModulePath != "" && c.URI.ModulePath != c.Module:
		return "", &Error{Op: "load", What: quote(c.Module), Err: errors.New("the URI names another module: " + quote(c.URI.ModulePath)), Next: "name the module in one place"}
	}
	return c.Module, nil
}

// loadModule checks the module file and loads it; it is not initialised yet.
func (c Config) loadModule() (module, moduleFile, error) {
	path, err := c.modulePath()
	if err != nil {
		return nil, moduleFile{}, err
	}
	file, err := preflight(path)
	if err != nil {
		return nil, moduleFile{}, err
	}
	m, err := load(file)
	if err != nil {
		return nil, moduleFile{}, err
	}
	return m, file, nil
}
