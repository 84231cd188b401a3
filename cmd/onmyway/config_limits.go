package main

import (
	"errors"
	"fmt"
	"math"
	"time"

	"onmyway/notify"
)

const (
	mostPerSecond = 10_000 // no provider takes more of one sender, and the shared bucket counts in microseconds
	// throttledAhead is for how long memory holds what waits for its turn. What would wait longer waits in SQL, where newer
	// news can still replace it.
	throttledAhead = time.Minute
)

// limits protect the provider of one channel.
type limits struct {
	perSecond float64
	burst     int
	breaker   float64 // share of failures
}

func (c *SMSConfig) limits() limits  { return limits{c.RatePerSecond, c.Burst, c.Breaker} }
func (c *PushConfig) limits() limits { return limits{c.RatePerSecond, c.Burst, c.Breaker} }

// check names what is wrong, by the names that the operator knows. Section is "sms" or "push".
func (l limits) check(section string) error {
	var errs []error
	if !(l.perSecond >= 0 && l.perSecond <= mostPerSecond) {
		errs = append(errs, fmt.Errorf("%s.rate_per_second must be from 0, for no limit, to %d", section, mostPerSecond))
	}
	if l.burst < 0 {
		errs = append(errs, fmt.Errorf("%s.burst must be 0, for as many as a second allows, or more", section))
	}
	if l.burst > 0 && l.perSecond == 0 {
		errs = append(errs, fmt.Errorf("%s.burst is set but %[1]s.rate_per_second is missing: a burst belongs to a limit", section))
	}
	if !(l.breaker >= 0 && l.breaker <= 1) {
		errs = append(errs, fmt.Errorf("%s.breaker must be a share from 0, for never, to 1, such as 0.5", section))
	}
	return errors.Join(errs...)
}

// rate is the limit of a sender. It is asked for only when there is one.
func (l limits) rate() notify.Rate {
	burst := l.burst
	if burst == 0 {
		burst = max(int(math.Ceil(l.perSecond)), 1)
	}
	return notify.Rate{PerSecond: l.perSecond, Burst: burst}
}

// apply gives a dispatcher its limits. Shared is what all processes keep to.
func (l limits) apply(d *notify.Dispatcher, shared notify.Allowance, redis *notify.Outage) {
	d.Budget = &notify.Budget{}
	if l.perSecond == 0 {
		return
	}
	d.Throttle = &notify.Throttle{Name: string(d.Channel), Rate: l.rate(), Shared: shared, Outage: redis, Now: d.Now}
	d.Queue = min(d.Queue, max(d.Lanes, int(l.perSecond*throttledAhead.Seconds())))
}
