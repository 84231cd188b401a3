package notify

// Left is how many messages may leave at once now, of a Throttle that is not shared.
func (t *Throttle) Left() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	full := t.own // a copy
	got, _ := full.reserve(t.Rate, t.Now(), t.Rate.Burst)
	return t.spare + got
}
