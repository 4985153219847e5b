package zones

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// windowsZone is a time zone of Windows: the name that its registry and Outlook
// use, the name that its dialogs show, and the IANA zone that CLDR gives it for
// the whole world (territory 001).
type windowsZone struct{ name, display, iana string }

// formerWindows are names that Windows had once and CLDR no longer lists.
var formerWindows = []windowsZone{
	{"Armenian Standard Time", "", "Asia/Yerevan"},
	{"Kamchatka Standard Time", "", "Asia/Kamchatka"},
	{"Mexico Standard Time", "", "America/Mexico_City"},
	{"Mexico Standard Time 2", "", "America/Chihuahua"},
	{"Mid-Atlantic Standard Time", "", "Etc/GMT+2"},
}

// abbreviations are zones named as in mail headers (RFC 5322 section 4.3) and
// summer names of the IANA's own CET, EET, MET and WET. The standard names EST
// and MST are the IANA's, which has no others of that kind.
var abbreviations = map[string]string{
	"z": "UTC", "ut": "UTC", "utc/gmt": "UTC", "gmt/utc": "UTC", "microsoft/utc": "UTC",
	"coordinated universal time": "UTC", "greenwich mean time": "GMT",
	"edt": "America/New_York", "cst": "America/Chicago", "cdt": "America/Chicago",
	"mdt": "America/Denver", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles",
	"cest": "CET", "eest": "EET", "mest": "MET", "west": "WET",
}

// continents are the areas of the IANA's names whose places are cities and
// islands. Those of the others (US/Eastern, Australia/South) mean little alone.
var continents = map[string]bool{
	"Africa": true, "America": true, "Antarctica": true, "Arctic": true, "Asia": true,
	"Atlantic": true, "Europe": true, "Indian": true, "Pacific": true,
}

// renamed are zones that got their names only lately, by names that older zone
// data have as well. The store is read by programs with such data too, and the
// original takes a zone that it does not know for UTC.
var renamed = map[string]string{
	"Europe/Kyiv":    "Europe/Kiev",
	"Pacific/Kanton": "Pacific/Enderbury",
}

// index finds zones by the spellings of their names.
type index struct {
	exact   map[string]string // the IANA's names as they are, and in lower case
	iana    map[string]string // by letters: see letters
	places  map[string]string // by what follows the area ("oslo"), where only one zone has it
	windows map[string]string // by words: see words
	cities  map[string]string // by a city of a display name
}

// names is the index of all names. It is built when the first name is spelled
// otherwise than by the IANA and Windows: see [spelled].
var names = sync.OnceValue(func() *index {
	x := &index{
		exact:   map[string]string{},
		iana:    map[string]string{},
		places:  map[string]string{},
		windows: map[string]string{},
		cities:  map[string]string{},
	}
	for _, name := range ianaNames {
		x.exact[name] = name
		x.exact[strings.ToLower(name)] = name
		if key, ok := letters(name); ok {
			once(x.iana, key, name)
		}
		if area, place, ok := strings.Cut(name, "/"); ok && continents[area] {
			if key, ok := letters(place); ok {
				once(x.places, key, name)
			}
		}
	}
	for _, zone := range append(windowsZones, formerWindows...) {
		x.windows[words(zone.name)] = zone.iana
		_, shown := cutOffset(zone.display)
		if shown = words(shown); shown == "" {
			continue
		}
		once(x.windows, shown, zone.iana)
		for _, city := range strings.FieldsFunc(shown, func(r rune) bool { return r == ',' }) {
			once(x.cities, words(city), zone.iana)
		}
	}
	return x
})

// spelled returns the zone of a name of the IANA or Windows that is spelled as they
// do, as nearly all are. It needs no index, which takes longer to build than a
// message does to handle.
func spelled(name string) (string, bool) {
	if _, ok := slices.BinarySearch(ianaNames, name); ok {
		return name, true
	}
	for _, zone := range windowsZones {
		if zone.name == name {
			return zone.iana, true
		}
	}
	return "", false
}

// once notes that key means name; a key that means two things means none.
func once(m map[string]string, key, name string) {
	if known, ok := m[key]; ok && known != name {
		name = ""
	}
	m[key] = name
}

// letters reduces an IANA name to what is left of it in other people's
// spellings: letters in lower case. Names that tell zones apart by digits and
// signs ("Etc/GMT+1", "EST5EDT") cannot be reduced so.
func letters(name string) (string, bool) {
	var b strings.Builder
	for _, r := range name {
		switch {
		case unicode.IsDigit(r) || r == '+':
			return "", false
		case unicode.IsLetter(r):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String(), b.Len() > 0
}

var spelling = strings.NewReplacer("_", " ", "/", ",", ";", ",", "&amp;", "&", "us and canada", "us & canada", "\\", "")

// words brings a Windows name into one spelling: lower case, single spaces,
// cities separated by a comma and nothing else (older Windows had " / ").
func words(name string) string {
	name = spelling.Replace(strings.ToLower(name))
	parts := strings.Split(name, ",")
	for i, part := range parts {
		parts[i] = strings.Join(strings.Fields(part), " ")
	}
	return strings.Trim(strings.Join(parts, ","), ", ")
}

// byIANA returns the IANA's spelling of an IANA name.
func (x *index) byIANA(name string) (string, bool) {
	if exact, ok := x.exact[name]; ok {
		return exact, true
	}
	if exact, ok := x.exact[strings.ToLower(name)]; ok {
		return exact, true
	}
	if key, ok := letters(name); ok {
		if iana := x.iana[key]; iana != "" {
			return iana, true
		}
	}
	// A zone that is newer than this list, but known to the system.
	if plainName(name) && strings.Contains(name, "/") {
		if _, err := Load(name); err == nil {
			return name, true
		}
	}
	return "", false
}

// byWindows returns the zone for a name of Windows, as its registry has it or
// as its dialogs show it, without the offset in front.
func (x *index) byWindows(name string) (string, bool) {
	key := words(name)
	for _, candidate := range []string{
		key,
		key + " standard time", // Notes drops it: "FLE"
		strings.Replace(key, " daylight time", " standard time", 1),
		strings.Replace(key, " summer time", " standard time", 1),
	} {
		if iana := x.windows[candidate]; iana != "" {
			return iana, true
		}
	}
	return "", false
}

// byPlace returns the zone of a place: the first one in name, which may list
// several, that is known to Windows, the IANA, or in another language. Windows has
// had lists of other cities before, and left out or added some.
func (x *index) byPlace(name string) (string, bool) {
	for place := range strings.SplitSeq(words(name), ",") {
		place = strings.TrimSpace(place)
		if iana := x.cities[place]; iana != "" {
			return iana, true
		}
		place, _, _ = strings.Cut(place, "(") // "Bratislava (Pressburg)"
		place = strings.TrimSpace(place)
		if iana := x.cities[place]; iana != "" {
			return iana, true
		}
		if key, ok := letters(place); ok && x.places[key] != "" {
			return x.places[key], true
		}
		if iana, ok := inTranslation(place); ok {
			return iana, true
		}
	}
	return "", false
}

// inTranslation returns the zone of a city by what it is called in some language, in lower
// case.
func inTranslation(place string) (string, bool) {
	if place == "" {
		return "", false
	}
	at := strings.Index(translated, "\n"+place+"\t")
	if at < 0 {
		return "", false
	}
	iana, _, _ := strings.Cut(translated[at+len(place)+2:], "\n")
	return iana, true
}

// regions are zones that Windows shows by the name of a region, which nearly every language has
// in its own spelling: what they have in common, and the offset in front.
var regions = []struct{ offset, word, iana string }{
	{"-1000", "hawa", "Pacific/Honolulu"}, {"-1000", "hava", "Pacific/Honolulu"},
	{"-0900", "alas", "America/Anchorage"}, {"-0900", "аляск", "America/Anchorage"},
	{"-0800", "kalif", "America/Tijuana"}, {"-0800", "calif", "America/Tijuana"},
	{"-0800", "canad", "America/Los_Angeles"}, {"-0800", "kanad", "America/Los_Angeles"}, {"-0800", "канад", "America/Los_Angeles"},
	{"-0700", "arizona", "America/Phoenix"}, {"-0700", "аризона", "America/Phoenix"},
	{"-0700", "canad", "America/Denver"}, {"-0700", "kanad", "America/Denver"}, {"-0700", "канад", "America/Denver"},
	{"-0600", "saskatchewan", "America/Regina"}, {"-0600", "саскачеван", "America/Regina"},
	{"-0600", "canad", "America/Chicago"}, {"-0600", "kanad", "America/Chicago"}, {"-0600", "канад", "America/Chicago"},
	{"-0600", "amer", "America/Guatemala"}, {"-0600", "amér", "America/Guatemala"}, {"-0600", "америка", "America/Guatemala"},
	{"-0500", "indiana", "America/Indianapolis"}, {"-0500", "индиана", "America/Indianapolis"},
	{"-0500", "canad", "America/New_York"}, {"-0500", "kanad", "America/New_York"}, {"-0500", "канад", "America/New_York"},
	{"-0400", "canad", "America/Halifax"}, {"-0400", "kanad", "America/Halifax"}, {"-0400", "канад", "America/Halifax"},
	{"-0330", "", "America/St_Johns"},
	{"-0300", "gr", "America/Godthab"}, {"-0200", "gr", "America/Godthab"},
	{"-0100", "zor", "Atlantic/Azores"}, {"-0100", "çor", "Atlantic/Azores"},
	{"-0100", "verd", "Atlantic/Cape_Verde"},
	{"+0100", "afri", "Africa/Lagos"}, {"+0100", "áfri", "Africa/Lagos"}, {"+0100", "африка", "Africa/Lagos"},
}

// byRegion returns the zone of a region in any language: see regions.
func byRegion(offset, rest string) (string, bool) {
	rest = strings.ToLower(rest)
	for _, r := range regions {
		if rest != "" && r.offset == offset && strings.Contains(rest, r.word) {
			return r.iana, true
		}
	}
	return "", false
}
