package check

import "imip-agent/stores"

// offers looks for offers that have expired.
func (e finder) offers() error {
	which := stores.Table{Kind: stores.Offers}
	table, err := e.tx.Periods(which)
	if err != nil {
		return err
	}
	expired := 0
	for p := range table.All() {
		if !p.Expires.IsZero() && !p.Expires.After(e.now) {
			expired++
		}
	}
	if expired > 0 {
		e.add(offerExpired, e.tablePath(which), stores.ID{}, "%s", expiredText(expired)).mendBy(dropExpired{})
	}
	return nil
}

func expiredText(n int) string {
	if n == 1 {
		return "an offered period has expired"
	}
	return plural(n, "offered period") + " have expired"
}
