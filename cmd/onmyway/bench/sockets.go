package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// holding measures what open live sockets cost that nothing happens on.
type holding struct{ lab *lab }

const settling = 3 * time.Second // after the last socket: what opening them needed is given back meanwhile

func (h *holding) close() error { return nil }

func (h *holding) round(ctx context.Context, n int) (got readings, err error) {
	count := h.lab.size(19_000, 1_000)
	home, err := h.lab.site(ctx, map[string]string{"http.max_sockets": strconv.Itoa(count + 100)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	time.Sleep(time.Second)
	before, err := home.memory()
	if err != nil {
		return nil, err
	}
	load, err := h.lab.part(ctx, "load", loadTask{
		Deck: deckTask{Events: count, People: count, Kind: liveOnly, Run: "h" + strconv.Itoa(n)}, Brokers: home.brokers,
		Socket: home.socketURL(), Sockets: count,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	var r ready
	if err := load.hear(&r); err != nil {
		return nil, fmt.Errorf("%w; %d sockets need as many open files in each of two processes (ulimit -n)", err, count)
	}
	time.Sleep(settling)
	after, err := home.memory()
	if err != nil {
		return nil, err
	}
	var a loadAnswer // each still gets its event
	if err := load.ask("go", &a); err != nil {
		return nil, err
	}
	return readings{
		"sockets":        {value: float64(after-before) / float64(r.Sockets) / 1024},
		"sockets-held":   {value: float64(r.Sockets)},
		"sockets-memory": {value: float64(after) / (1 << 20)},
	}, a.check()
}
