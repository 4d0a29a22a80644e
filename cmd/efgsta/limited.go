package main

// limited keeps the first bytes and calls full when there are more.
type limited struct {
	kept []byte
	most int
	full func()
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.most - len(l.kept)
	l.kept = append(l.kept, p[:min(room, len(p))]...)
	if len(p) > room {
		l.full()
	}
	return len(p), nil
}
