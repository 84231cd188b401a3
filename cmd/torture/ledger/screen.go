package ledger

// Notified judges the notifications of browsers, each of which belongs to one customer: every last step must have come, and
// a browser must never show one fact under two tags. A notification may come twice under one tag: it is seen once.
func Notified(inputs []Input, pushes []Push, browsers map[string]string, latest bool) (Verdict, error) {
	type seen struct {
		browser string
		Fact
	}
	tags := map[seen]string{}
	var v Verdict
	for _, p := range pushes {
		f, tag, err := p.Shown()
		if err != nil {
			return v, err
		}
		at := seen{p.Subscription, f}
		if before, again := tags[at]; again && before != tag {
			v.Doubled = append(v.Doubled, f)
		}
		tags[at] = tag
	}
	for browser, customer := range browsers {
		for f := range wantedOf(inputs, customer, latest) {
			if _, came := tags[seen{browser, f}]; !came {
				v.Lost = append(v.Lost, f)
			}
		}
	}
	v.sort()
	return v, nil
}

// Seen judges the pages of customers: each shows every last step in the end, and over one socket no older step of an order
// after a newer one.
func Seen(inputs []Input, shown []Live, customers []string, latest bool) Verdict {
	type session struct {
		customer string
		no       int
	}
	pages := map[string]map[Fact]bool{}
	sockets := map[session][]Fact{}
	for _, l := range shown {
		if pages[l.Customer] == nil {
			pages[l.Customer] = map[Fact]bool{}
		}
		pages[l.Customer][l.Fact] = true
		if !l.Reloaded {
			at := session{l.Customer, l.Session}
			sockets[at] = append(sockets[at], l.Fact)
		}
	}
	var v Verdict
	for _, c := range customers {
		for f := range wantedOf(inputs, c, latest) {
			if !pages[c][f] {
				v.Lost = append(v.Lost, f)
			}
		}
	}
	for _, facts := range sockets {
		v.Fallen = append(v.Fallen, fallen(facts)...)
	}
	v.sort()
	return v
}

// wantedOf are the facts of one customer, all or the last step of every order.
func wantedOf(inputs []Input, customer string, latest bool) map[Fact]bool {
	facts := map[Fact]bool{}
	for i := range inputs {
		if inputs[i].Customer == customer {
			facts[inputs[i].Fact] = true
		}
	}
	if latest {
		return lastOf(facts)
	}
	return facts
}
