package main

import (
	"testing"

	"onmyway/notify"
)

// TestLimits: what the operator says is what a dispatcher gets.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name     string
		file     string
		throttle *notify.Rate
		queue    int
	}{
		{"none", "", nil, 8192},
		{"five texts a second", "sms: {rate_per_second: 5}", &notify.Rate{PerSecond: 5, Burst: 5}, 300},
		{"one in four seconds", "sms: {rate_per_second: 0.25}", &notify.Rate{PerSecond: 0.25, Burst: 1}, 128},
		{"a burst of its own", "sms: {rate_per_second: 1000, burst: 3}", &notify.Rate{PerSecond: 1000, Burst: 3}, 8192},
		{"a limit of pushes", "push: {rate_per_second: 5}", nil, 8192},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configure(t, tt.file, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := &notify.Dispatcher{Channel: notify.SMS, Lanes: cfg.SMS.Lanes, Queue: cfg.SMS.Queue}
			cfg.SMS.limits().apply(d, nil, nil)
			switch {
			case d.Budget == nil:
				t.Error("there is no bound of retries")
			case tt.throttle == nil && d.Throttle != nil, tt.throttle != nil && (d.Throttle == nil || d.Throttle.Rate != *tt.throttle):
				t.Errorf("the limit is %+v, want %v", d.Throttle, tt.throttle)
			case d.Queue != tt.queue:
				t.Errorf("%d texts wait in memory, want %d", d.Queue, tt.queue)
			}
		})
	}
}
