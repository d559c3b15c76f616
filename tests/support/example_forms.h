#pragma once

// Forms as officers write them (docs/PROTOCOL.md, Referral form and Consent
// form). All persons are fictional.

namespace amparo {

inline constexpr char kExampleReferralForm[] = R"({
 "schema":"referral_form/1","priority":"urgent","purpose":"support","first_contact":"uls",
 "recipients":{"uls":{"purpose":"health_care"},"gnr":{"purpose":"safety"}},
 "sections":{
  "identity":{"given_name":"Marta","family_name":"EXEMPLO","other_names":[],
   "birth_date":"1990-02-03","sex":"female","municipality":"Penafiel","language":"pt",
   "interpreter_needed":false,"person_category":"victim","local_refs":["ONG-2026-17"]},
  "safe_contact":{"phone":"+351 900 000 000","phone_owner":"self","safe_to_call":true,
   "safe_to_text":false,"safe_to_leave_message":false,
   "windows":[{"days":["mon","wed"],"from":"10:00","to":"12:00"}],"code_word":"laranja",
   "address_secret":true,"device_compromised":{"absent":"unknown"},
   "verified_at":"2026-11-20T09:00:00Z"},
  "risk":{"instrument":"RVD-R","version":"2025","typology":"partner","items":{},
   "native_level":"elevado","level":"high","weapons":false,"strangulation":true,
   "death_threats":true,"escalation":true,"separation":true,
   "assessed_at":"2026-11-20T09:30:00Z","reassess_due":"2026-11-27",
   "assertion":"assessment"},
  "incident":{"date":"2026-11-18","date_accuracy":"day","time_of_day":"evening",
   "place_type":"home","municipality":"Penafiel",
   "violence_types":["physical","psychological"],"injury":true,"weapon":"none",
   "children_present":true,"previous_count":3,"assertion":"fact"},
  "perpetrator":{"name":"Rui EXEMPLO","aliases":[],"birth_year":1986,"sex":"male",
   "relationship":"spouse","cohabits":true,"weapons":false,"in_custody":false,
   "works_for":{"absent":"not_asked"},"assertion":"hearsay"},
  "health":{"injuries":"contusions, left arm","pregnancy":false,
   "mental_health":{"absent":"not_asked"},"forensic_kit":false},
  "legal":{"complaint_filed":false,"victim_status":false,"orders":[],
   "wants_legal_action":{"absent":"unknown"}},
  "children":[{"pseudonym":"C1","birth_year":2018,"sex":"male","lives_with":"mother",
   "exposure":"witness","excluded_guardian":true}],
  "housing":{"tenure":"rented","household":3,"can_stay_safely":false,
   "shelter_needed":true,"places":2,"pets":false},
  "needs":{"services_requested":["health","psychosocial","police","shelter"],
   "childcare":true,"already_receiving":[]},
  "special":{"nationality":"PT"},
  "narrative":{"reason":"Asks for examination and support.","history":"...",
   "opinion":""}}})";

inline constexpr char kExampleUpdateForm[] = R"({
 "schema":"update_form/1",
 "sections":{
  "risk":{"instrument":"RVD-R","version":"2025","native_level":"extremo",
   "level":"extreme","strangulation":true,"assessed_at":"2026-11-22T08:00:00Z",
   "reassess_due":"2026-11-25","assertion":"assessment"}}})";

inline constexpr char kExampleConsentForm[] = R"({
 "schema":"consent_form/1","case":null,"jurisdiction":"PT","agreement":"given",
 "expressed_by":[{"party":"subject","capacity":"full","method":"signed_paper",
  "at":"2026-11-20T09:00:00Z"}],"child_view":null,
 "language":"pt","interpreter":false,"notice":"notice-pt-3",
 "provisions":[
  {"effect":"permit","sections":["identity","safe_contact","risk","incident","health",
   "needs","children"],"recipients":[{"member":"uls"}],
   "purposes":["health_care","support"],"direction":"both","redisclosure":"forbidden",
   "legal_basis":["A6-1-e","A9-2-h"],"from":null,"until":"2027-05-20T00:00:00Z"},
  {"effect":"permit","sections":["*"],"recipients":[{"kind":"police"}],
   "purposes":["safety"],"direction":"send","redisclosure":"forbidden",
   "legal_basis":["LED-8"],"from":null,"until":null},
  {"effect":"deny","sections":["safe_contact"],"recipients":[{"kind":"police"}],
   "reason":"fear_of_harm"}],
 "exclusions":[{"member":"cpcj","reason":"fear_of_harm"},
  {"member":"gnr","person":"Cabo EXEMPLO","reason":"relative_works_there"}],
 "statistics":"given","retention":"P5Y"})";

inline constexpr char kExampleReasonForm[] = R"({
 "schema":"without_consent/1",
 "facts":"Threatened with death this morning; he is armed and on his way.",
 "risk_level":"extreme",
 "sections":[{"section":"risk","why":"the danger itself"},
  {"section":"incident","why":"what happened and where"}],
 "purpose":"safety","legal_basis":["A6-1-d"],"agreement_sought":"unsafe",
 "person_informed":{"answer":"later","date":"2026-11-22"},
 "proportionality":"Only what finding her needs.",
 "second_approver":null,"expires":null})";

}  // namespace amparo
