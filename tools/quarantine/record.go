package quarantine

import (
	"encoding/json"
	"errors"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

var tableNames = map[stores.TableKind]string{stores.Own: "freebusy", stores.Offers: "freebusy-offers", stores.Other: "freebusy-other"}

var partNames = map[stores.Part]string{stores.Active: "active", stores.Cancelled: "cancelled", stores.Countered: "countered"}

// key returns the text that an entry is about.
func (e *entry) key() stores.Key {
	key := stores.Key{ID: stores.ID{UID: string(e.UID), RecurrenceID: e.RecurrenceID}, Other: calendar.URI(e.Other)}
	for part, name := range partNames {
		if name == e.Part {
			key.Part = part
		}
	}
	return key
}

// which returns the free/busy table that an entry is about.
func (e *entry) which() stores.Table {
	which := stores.Table{Other: calendar.URI(e.Other)}
	for kind, name := range tableNames {
		if name == e.Table {
			which.Kind = kind
		}
	}
	return which
}

// tableRow stands for a table in an entry about a row that was no record of it.
const tableRow = "row"

// recordOf returns what a store without files has of what an entry is about; nil if it has
// nothing.
func recordOf(tx stores.Tx, e entry) (content []byte, err error) {
	switch {
	case e.Part != "":
		content, err = tx.Get(e.key())
	case e.Table == Published:
		content, err = tx.Published()
	case e.Table == Requests:
		requests, err := tx.Requests()
		if err != nil {
			return nil, err
		}
		return json.Marshal(requests)
	case e.Table == Providers:
		providers, err := tx.Providers()
		if err != nil {
			return nil, err
		}
		return json.Marshal(providers)
	default:
		table, err := tx.Periods(e.which())
		if err != nil {
			return nil, err
		}
		return table.Append(nil), nil
	}
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	}
	return content, err
}

// restoreRow puts a row of a table back that is no record.
func restoreRow(tx stores.Tx, content []byte) error {
	var d stores.Damage
	if err := json.Unmarshal(content, &d); err != nil {
		return err
	}
	tables, ok := tx.(stores.Damaged)
	if !ok {
		return errors.New("the store cannot have such a row")
	}
	return tables.RestoreDamage(d)
}

// restoreTable makes a free/busy table what it was.
func restoreTable(tx stores.Tx, which stores.Table, content []byte) error {
	table, err := tx.Periods(which)
	if err != nil {
		return err
	}
	was, _ := freebusy.Read(content, table.Layout())
	ids := make(map[stores.ID]bool)
	for p := range table.All() {
		ids[stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}] = true
	}
	for id := range ids {
		table.Remove(id.UID, id.RecurrenceID)
	}
	var records []freebusy.Period
	for p := range was.All() {
		records = append(records, p)
	}
	table.InsertAll(records)
	return nil
}
