package bench

// figure is one line of the results.
type figure struct {
	name     string
	unit     string
	what     string // is measured, for people
	baseline string // it is measured against; empty for nothing
	goal     goal
}

// trial measures figures that come from the same rounds.
type trial struct {
	figures []figure
	rounds  int                // 0: as many as were asked for
	lacks   func(*lab) string  // what is missing to run it; nil or empty: nothing
	open    func(*lab) rounder // what it measures with; nothing runs yet
}

// trials are all that there is to measure, in the order in which it is done: what matters most comes first.
var trials = []trial{
	{
		open: func(l *lab) rounder { return &storing{lab: l} },
		figures: []figure{
			{"store", "rows/s", "events to 500 open pages, stored", "the same rows by a bare batch writer", atLeast(0.6)},
			{"live", "events/s", "events to 500 open pages, shown", "", atLeast(30_000)},
		},
	},
	{
		open:  func(l *lab) rounder { return &steady{lab: l} },
		lacks: needsProc,
		figures: []figure{
			{"p50", "ms", "produced to shown at 1,000 events/s, half of them", "a bare kafka-go consumer", atMost(1.6)},
			{"p99", "ms", "produced to shown at 1,000 events/s, 99 of 100", "a bare kafka-go consumer", atMost(2.5)},
			{"cpu", "µs/event", "processor time of an event at 1,000 events/s", "a kafka-go consumer with one socket write", atMost(2.5)},
		},
	},
	{
		open: func(l *lab) rounder { return &halving{lab: l} },
		figures: []figure{
			{"half", "ms", "produced to shown at half the rate of live, 99 of 100", "", atMost(20)},
		},
	},
	{
		open: func(l *lab) rounder { return &texting{lab: l} },
		figures: []figure{
			{"sms", "texts/s", "texts to a provider that answers at once, every state durable", "the same inserts and updates by a bare batch writer", atLeast(0.5)},
			{"sms-loop", "texts/s", "the same", "64 workers with twilio-go that store nothing", goal{}},
		},
	},
	{
		open:   func(l *lab) rounder { return &holding{lab: l} },
		lacks:  needsProc,
		rounds: 3, // each takes memory and not time: rounds differ little
		figures: []figure{
			{"sockets", "kB", "memory of one idle live socket", "", atMost(6)},
			{"sockets-held", "sockets", "live sockets held at once", "", atLeast(19_000)},
			{"sockets-memory", "MB", "memory of the process that holds them", "", atMost(180)},
		},
	},
	{
		open: func(l *lab) rounder { return &allocating{lab: l} },
		figures: []figure{
			{"allocs", "allocs/event", "allocations of an event on the live path", "", atMost(10)},
		},
	},
	{
		open:  func(l *lab) rounder { return &starting{lab: l} },
		lacks: needsProc,
		figures: []figure{
			{"start", "s", "from nothing to ready, engines embedded", "", atMost(1)},
			{"start-memory", "MB", "memory when idle", "", atMost(80)},
		},
	},
	{
		open: func(l *lab) rounder { return &pushing{lab: l} },
		figures: []figure{
			{"push", "pushes/s", "Web Push to a service that answers at once", "64 workers with webpush-go and its own client", atLeast(1.3)},
		},
	},
	{
		open:  func(l *lab) rounder { return &replaying{lab: l} },
		lacks: needsRedis,
		figures: []figure{
			{"replay", "records/s", "a topic that is known already, no provider called", "a bare kafka-go consumer", atLeast(0.2)},
		},
	},
	{
		open:  func(l *lab) rounder { return &farAway{lab: l} },
		lacks: needsProc,
		figures: []figure{
			{"sms-far", "texts/s", "texts to a provider that takes 150 ms", "", atLeast(1000)},
			{"sms-far-memory", "", "memory in the second half, against the first", "", atMost(1.25)},
		},
	},
	{
		open: func(l *lab) rounder { return &slowProvider{lab: l} },
		figures: []figure{
			{"slow-provider", "ms", "produced to shown at 1,000 events/s, 99 of 100, beside texts to a provider that takes 2 s", "beside texts to one that answers at once", atMost(1.2)},
		},
	},
	{
		open:  func(l *lab) rounder { return &crowding{lab: l} },
		lacks: needsNice,
		figures: []figure{
			{"crowd", "ms", "produced to shown at 1,000 events/s, 99 of 100, while 5,000 pages open at once", "just before", atMost(3)},
		},
	},
	{
		open:   func(l *lab) rounder { return &flooding{lab: l} },
		lacks:  needsProc,
		rounds: 1, // three minutes each
		figures: []figure{
			{"flood", "", "memory in the last third of a minute of twice the rate that can be stored, against the middle third", "", atMost(1.1)},
			{"flood-health", "s", "the slowest answer of /healthz meanwhile", "", atMost(1)},
			{"flood-lag", "s", "from its end until nothing waits in Kafka", "what waited, divided by the rate", atMost(1.5)},
		},
	},
	{
		open:  func(l *lab) rounder { return &realEngines{lab: l} },
		lacks: needsServers,
		figures: []figure{
			{"real", "events/s", "stored, on Apache Kafka, Redis and PostgreSQL", "the same on the embedded engines", atLeast(0.4)},
		},
	},
	{
		open:   func(l *lab) rounder { return &building{lab: l} },
		lacks:  needsSource,
		rounds: 1, // two minutes each
		figures: []figure{
			{"build", "s", "a build of the binary with an empty cache", "", atMost(150)},
		},
	},
	{
		open:  func(l *lab) rounder { return &growing{lab: l} },
		lacks: needsProc,
		figures: []figure{
			{"grow", "µs/event", "processor time of an event with 1,000,000 customers and 5,000,000 stored messages", "with 10,000 and none", atMost(1.2)},
		},
	},
}

// Names lists all figures.
func Names() (names []string) {
	for _, t := range trials {
		for _, f := range t.figures {
			names = append(names, f.name)
		}
	}
	return names
}
