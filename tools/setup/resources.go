package setup

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"imip-agent/conf/exim"
	"imip-agent/conf/postfix"
)

// beginResources begins each part for rooms and equipment.
const beginResources = begin + " resources"

// resourcesName is the setting of main.cf that says who the resources are, and byHand begins the part that earlier
// examples had for them.
const (
	resourcesName = "calendar_resources"
	byHand        = "# BEGIN calendar resources"
)

// resourceLists are the settings of main.cf in which something for resources comes first, before what is ours.
var resourceLists = []list{
	{"transport_maps", "$calendar_resource_maps"},
	{"virtual_alias_maps", "$" + resourcesName},
}

// checkResources looks whether the resources can stand in a configuration. Known are those that are there already.
func (o *Options) checkResources(known []string) error {
	switch {
	case o.NoResources:
		o.Resources = nil
	case o.Resources == nil:
		o.Resources = known
	}
	var all []string
	for _, resource := range o.Resources {
		if !addressForm.MatchString(resource) {
			return problem("%.80q is not a resource's mail address such as room@%s", resource, o.Domains[0])
		}
		resource = strings.ToLower(resource)
		_, domain, _ := strings.Cut(resource, "@")
		switch {
		case !contains(o.Domains, domain):
			return problem("the resource %s is in none of the domains %s: add --domain %s, if that is your domain", resource, strings.Join(o.Domains, ", "), domain)
		case resource == o.Sender:
			return problem("%s is the address of the calendar system (MESSAGE_SENDER), and cannot be a resource: it would answer itself", resource)
		case contains(o.Users, resource):
			return problem("%s is named as a user and as a resource", resource)
		case contains(all, resource):
			continue
		}
		all = append(all, resource)
	}
	o.Resources = all
	switch {
	case len(all) == 0 || o.ByService:
	case o.Resource == "":
		return problem("imip_resource is missing beside this program: install it, or name it by --resource")
	case !pathForm.MatchString(o.Resource):
		return problem("%.80q cannot be a program's path in a mail system's configuration", o.Resource)
	}
	return nil
}

var resourceLine = regexp.MustCompile(`(?m)^    \{ (\S+) = \S+ \}$`)

// resourcesPostfix adds to main.cf and master.cf, which have the settings for outgoing mail and no resources. Before
// is main.cf as it was.
func (o *Options) resourcesPostfix(main, master, before string) (newMain, newMaster string, err error) {
	var known []string
	if strings.Contains("\n"+before, "\n"+beginResources) {
		for _, match := range resourceLine.FindAllStringSubmatch(setting(before, resourcesName), -1) {
			known = append(known, match[1])
		}
	}
	if err := o.checkResources(known); err != nil || len(o.Resources) == 0 {
		return main, master, err
	}
	if setting(main, resourcesName) != "" {
		return "", "", problem("main.cf has %s by hand: remove the lines from %q to its end from main.cf and master.cf, and what leads to them from transport_maps and virtual_alias_maps", resourcesName, byHand)
	}
	var lines strings.Builder
	for _, resource := range o.Resources {
		fmt.Fprintf(&lines, "    { %s = %[1]s }\n", resource)
	}
	block := replace(o.fill(postfix.ResourceMain), resourcesName, resourcesName+" = inline:{\n"+lines.String()+"    }\n")
	main, block = withFirst(main, block, resourceLists)
	if o.ByService {
		block, err = byLMTP(block, "calendar-resource:", beginResources)
		return main + block, master, err
	}
	return main + block, master + o.fill(postfix.ResourceMaster), nil
}

// The files of Debian's split configuration, below conf.d.
const (
	resourceMacros    = "main/02_imip-agent_resources"
	resourceRouter    = "router/060_imip-agent_resources"
	resourceTransport = "transport/20_imip-agent_resources"
)

// resourcesExim returns the parts for resources. Whole is the configuration in one file as it is, and dir the directory of
// a split one.
func (o *Options) resourcesExim(whole, dir string) ([]eximPart, error) {
	parts := []eximPart{
		{split: resourceMacros, name: " resources"},
		{split: resourceRouter, after: "routers", name: " resources"},
		{split: resourceTransport, after: "transports", name: " resources"},
	}
	if o.Remove {
		return parts, nil
	}
	before, err := read(filepath.Join(dir, resourceMacros))
	if err != nil {
		return nil, err
	}
	var known []string
	for _, text := range []string{string(before), whole} {
		known = append(known, strings.Fields(strings.ReplaceAll(macroOf(text, "IMIP_RESOURCES"), " : ", " "))...)
	}
	if err := o.checkResources(known); err != nil || len(o.Resources) == 0 {
		return parts, err
	}
	macros := macro("IMIP_RESOURCES").ReplaceAllLiteralString(exim.ResourceMacros, "IMIP_RESOURCES = "+strings.Join(o.Resources, " : "))
	macros = macro("IMIP_RESOURCE").ReplaceAllLiteralString(macros, "IMIP_RESOURCE = "+o.Resource)
	transport := exim.ResourceTransport
	if o.ByService {
		transport = serviceTransport("imip_resource")
	}
	for i, text := range []string{macros, exim.ResourceRouter, transport} {
		parts[i].text = text
	}
	return parts, nil
}

// withoutEmpty returns the parts that have a text.
func withoutEmpty(parts []eximPart) []eximPart {
	return slices.DeleteFunc(slices.Clone(parts), func(p eximPart) bool { return p.text == "" })
}
