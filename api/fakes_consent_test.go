package api_test

import (
	"context"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// ledger keeps consents and stopped numbers. Its audit is its own.
func (w *world) ledger() *notifytest.Store {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.store == nil {
		w.store = notifytest.NewStore()
		w.store.Fail = func(method string) error { return w.Fail[method] }
	}
	return w.store
}

func (w *world) AddConsent(ctx context.Context, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (notify.ConsentRecord, bool, error) {
	s := w.ledger()
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.customers[r.CustomerID]; ok {
		if _, err := s.EditCustomer(ctx, act, c.ID, func(to *notify.Customer) error { to.Name = "stored"; return nil }); err != nil {
			return r, false, err
		}
	}
	r, again, err := s.AddConsent(ctx, act, r, key)
	if p, found := s.Customer(ctx, r.CustomerID); found == nil {
		c := w.customers[r.CustomerID]
		c.Consents = p.Consents
		w.customers[r.CustomerID] = c
	}
	return r, again, err
}

func (w *world) Consents(ctx context.Context, customerID string, before int64, limit int) ([]notify.ConsentRecord, error) {
	return w.ledger().Consents(ctx, customerID, before, limit)
}

func (w *world) StoppedNumber(ctx context.Context, phone string) (notify.StoppedNumber, bool, error) {
	return w.ledger().StoppedNumber(ctx, phone)
}

func (w *world) Stops(ctx context.Context, phone string, before int64, limit int) ([]notify.NumberStop, error) {
	return w.ledger().Stops(ctx, phone, before, limit)
}

func (w *world) StopNumber(ctx context.Context, act notify.Act, phone, why string) (notify.StoppedNumber, error) {
	return w.ledger().StopNumber(ctx, act, phone, why)
}

func (w *world) AllowNumber(ctx context.Context, act notify.Act, phone, why string) error {
	return w.ledger().AllowNumber(ctx, act, phone, why)
}
