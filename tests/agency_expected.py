"""What IPTC's own files say, written down from reading them: what a reader has to find in each."""

from dataclasses import dataclass

SUITE = "formats/ninjs/validation/test_suite"
NINJS = "formats/ninjs/examples"
DOCUMENTED = "formats/ninjs/documentation/includes/examples"
NEWSML = "formats/ninjs/examples/NewsML"
G2 = "formats/newsml-g2/examples"
G2_SUITE = "formats/newsml-g2/tests/unit_test_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One item. `guid` is what its id is made from; `title` and `body` are how they begin; times are in UTC."""

    guid: str
    title: str
    body: str
    published: str | None = None
    updated: str | None = None
    language: str | None = None
    version: int | None = None
    held_until: str | None = None
    note: str | None = None
    source: str | None = None
    authors: tuple[str, ...] = ()


CONCORDIA = "Captain of wrecked cruise ship on trial in Italy"
GROSSETO = "GROSSETO, Italy (AP) -- The trial of the captain of the shipwrecked Costa Concordia cruise liner has begun"
SHIP = "The Costa Concordia cruise ship lies on its side in the waters of the"
TWO = ("Paulo Santalucia", "Frances d'Emilio")
DELL = "Dell Redefines Workstation Computing Boundaries with Smallest Tower and Most Powerful Rack"
TURKEY = (
    "FILE - In this Monday, Nov. 11, 2019 file photo, a man identified by Turkish media as 39-year-old Muhammad Darwis"
)
AP_PICTURE = "http://api.ap.org/media/v/content/b2b6c3f4642f46deac7509d4db315ca0?qt=H1Kdh42orF&et=0a1aza3c0"
TURKEY_OUT = "TURKEY OUT NOV. 11, 2019 FILE PHOTO"
PELOSI = "http://api.ap.org/media/v/content/8c9f92e2a4414c709a295b449f459a74?qt=H1Kdh42orF&et=0a3aza2c0"
NEXT_UP = "Next up in impeachment hearings: A parade of key witnesses"
TOUR = "anti-doping-measures-at-the-tour-down-under-will-be-the-toughest-ever"
CAMBRIOS = "Cambrios被Gartner評選為「最酷供應商」"
CAMBRIOS_TEXT = (
    "(美國商業資訊)--為透明及軟性導體市場提供銀奈米線解決方案的領導廠商Cambrios Technologies Corporation今天宣布"
)
LUNCH = "Lunch Taking a Toll? Let Applebee’s® Industrial Strength Lunch Decoy Stand In"
COMBOS = "With more Applebee’s® Lunch Combos than ever – enough to try a new comb"
PULP = "APP发布“2020 可持续发展路线图”第三次工作进展报告，并将继续落实森林保护政策"
PULP_TEXT = "亚洲浆纸业有限公司（Asia Pulp & Paper, 以下简称 APP）近日发布"
FED = 'Fed to halt QE to avert "bubble"'
LOREM = "(New York, NY - October 21) Et, sent luptat luptat, commy Nim zzriureet vendreetue modo dolenis"
LAS_VEGAS = "Variety Of Recessionary Forces Leave Las Vegas Economy Scarred"
DOWNTOWN = (
    "A general view of part of downtown, including Las Vegas Boulevard, on October 20, 2010 in Las Vegas, Nevada."
)
LORIOT = "Yesterday evening (November 5) an exhibition opened in Berlin in honour of German humorist Vicco von Bülow"
EMBARGOED = "Note to editors: STRICTLY EMBARGOED. Not for public release "

EXPECTED: dict[str, Expected] = {
    f"{SUITE}/1.0/should_pass/030_headline.json": Expected(
        guid="030_headline", title="Man bites dog", body="Man bites dog"
    ),
    f"{SUITE}/1.0/should_pass/032_body_text.json": Expected(
        guid="032_body_text", title="GROSSETO, Italy (AP) -- The trial of the captain", body=GROSSETO
    ),
    f"{SUITE}/1.0/should_pass/033_body_html.json": Expected(
        guid="033_body_html", title="GROSSETO, Italy (AP) -- The trial of the captain", body=GROSSETO
    ),
    f"{SUITE}/1.0/should_pass/035_body_new.json": Expected(
        guid="035_body_new", title="We aren't limited", body="We aren't limited to just text and HTML, we can have any"
    ),
    f"{SUITE}/1.0/should_pass/037_description_html.json": Expected(
        guid="037_description_html",
        title="any HTML is fine even if it's invalid",
        body="any HTML is fine even if it's invalid",
    ),
    f"{SUITE}/1.0/should_pass/039_description_new.json": Expected(
        guid="039_description_new",
        title="Any other kind of description can go here",
        body="Any other kind of description can go here",
    ),
    f"{SUITE}/1.0/should_pass/062_associations_empty.json": Expected(
        guid="062_associations_empty", title=DELL, body=DELL, published="2013-05-16T04:01:00", version=1
    ),
    f"{SUITE}/1.2/should_pass/001_title.json": Expected(
        guid="001_title.json", title="Title of my ninjs 1.2 article", body="Title of my ninjs 1.2 article"
    ),
    f"{SUITE}/1.3/should_pass/001_ninjs_example.json": Expected(
        guid="http://ninjs.example.com/newsitems/ninjs1-3-tests",
        title="Test of three new properties",
        body="Extensible description test",
        source="ninjs.example.com",
    ),
    f"{SUITE}/1.4/should_pass/001_ninjs_example.json": Expected(
        guid="http://ninjs.example.com/newsitems/ninjs1-4-tests-001",
        title="Test of three new properties",
        body="Extensible description test",
        published="2022-04-21T12:00:00",
        source="ninjs.example.com",
    ),
    f"{SUITE}/1.5/should_pass/001_contactinfo.json": Expected(
        guid=AP_PICTURE,
        title="Turkey Islamic State",
        body=TURKEY,
        published="2019-11-15T13:39:59",
        updated="2019-11-15T14:39:44",
        language="en",
        version=0,
        note=TURKEY_OUT,
        source="api.ap.org",
    ),
    f"{SUITE}/2.0/should_pass/004_headlines.json": Expected(
        guid="004-headlines-test", title="Test of headline property", body="Test of headline property"
    ),
    f"{SUITE}/2.0/should_pass/010_geojson.json": Expected(
        guid=AP_PICTURE,
        title="Turkey Islamic State",
        body=TURKEY,
        published="2019-11-15T13:39:59",
        updated="2019-11-15T14:39:44",
        language="en",
        version=0,
        note=TURKEY_OUT,
        source="DHA",
    ),
    f"{SUITE}/2.1/should_pass/014_expires.json": Expected(
        guid="http://ninjs.example.com/newsitems/ninjs1-4-tests-001",
        title="Test of three new properties",
        body="Extensible description test",
        published="2022-04-21T12:00:00",
        source="ninjs.example.com",
    ),
    f"{SUITE}/3.0/should_pass/010_planned_news_item.json": Expected(
        guid="http://ninjs.example.com/newsitems/ninjs2-2-tests",
        title="Extensible description test for ninjs 3.0 this item links to planned coverage",
        body="Extensible description test for ninjs 3.0 this item links to planned coverage via associations",
        source="ninjs.example.com",
    ),
    f"{SUITE}/3.0/should_pass/015_complex_recurrence.json": Expected(
        guid="urn:015-ninjs3.0-complex-recurrence",
        title="IPTC Spring Meeting 2024",
        body="Examples based on https://icalendar.org/iCalendar-RFC-5545/3-8-5-3-recurrence-rule.html",
    ),
    f"{DOCUMENTED}/1.6/001_simple_example.json": Expected(
        guid="http://ninjs.example.com/newsitems/20130709simp123",
        title=CONCORDIA,
        body=GROSSETO,
        published="2013-07-09T10:37:00",
        source="ninjs.example.com",
        authors=TWO,
    ),
    f"{DOCUMENTED}/2.2/006_photo_only.json": Expected(
        guid="http://ninjs.example.com/newsitems/20130709simpPh123",
        title="Costa Concordia cruise ship",
        body=SHIP,
        published="2013-07-08T08:12:00",
        source="ninjs.example.com",
        authors=("Paulo Santalucia",),
    ),
    f"{DOCUMENTED}/3.1/007_multimedia.json": Expected(
        guid="http://ninjs.example.com/newsitems/20130709cplx456",
        title=CONCORDIA,
        body=GROSSETO,
        published="2013-07-09T10:39:00",
        language="en",
        source="ninjs.example.com",
        authors=TWO,
    ),
    f"{NINJS}/1.4/businesswire-newsml-20130515006361.json": Expected(
        guid="http://www.businesswire.com/news/home/20130515006361/en",
        title=DELL,
        body="Dell today announce",
        published="2013-05-16T04:01:00",
        language="en",
        version=1,
        source="businesswire.com",
    ),
    f"{NINJS}/1.4/businesswire-newsml-20130605006126.json": Expected(
        guid="http://www.businesswire.com/news/home/20130605006126/zh",
        title=CAMBRIOS,
        body=CAMBRIOS_TEXT,
        published="2013-06-05T21:00:00",
        language="zh",
        version=1,
        source="businesswire.com",
    ),
    f"{NINJS}/1.4/ninjsExComplex1.json": Expected(
        guid="http://ninjs.example.com/newsitems/20130709cplx123",
        title=CONCORDIA,
        body=GROSSETO,
        published="2013-07-09T10:37:00",
        language="en",
        source="ninjs.example.com",
        authors=TWO,
    ),
    f"{NINJS}/2.1/ap_audio.json": Expected(
        guid=PELOSI,
        title=NEXT_UP,
        body="House Speaker Nancy Pelosi says the president committed an impeachable offense.",
        published="2019-11-14T16:17:53",
        language="en",
        version=0,
        source="ASSOCIATED PRESS",
    ),
    f"{NINJS}/2.1/ap_image.json": Expected(
        guid=AP_PICTURE,
        title="Turkey Islamic State",
        body=TURKEY,
        published="2019-11-15T13:39:59",
        updated="2019-11-15T14:39:44",
        language="en",
        version=0,
        note=TURKEY_OUT,
        source="DHA",
    ),
    f"{NINJS}/3.0/ap_video.json": Expected(
        guid="http://api.ap.org/media/v/content/0cc82c1e6d284848bf862fdfae3c43c4?qt=H1Kdh42orF&et=0a3aza9c0",
        title="House leaders double down on impeachment positions",
        body="As the Trump impeachment hearings go public, House Democrats are refining the case against",
        published="2019-11-14T18:50:56",
        updated="2019-11-14T18:50:57",
        language="en",
        version=0,
        note="APWhollyOwned",
        source="ASSOCIATED PRESS",
    ),
    f"{NINJS}/2.1/dpa_text.json": Expected(
        guid="urn:newsml:dpa.com:20090101:190510-99-167362",
        title="Faktencheck Derby-Elfmeter: Hat Schiedsrichter Zwayer recht?",
        body="Für Lucien Favre war es «der größte Skandal im Fußball seit Jahre",
        published="2019-05-10T14:02:28",
        language="de",
        version=2,
        source="dpa",
        authors=("Christian Hollmann",),
    ),
    f"{NINJS}/3.0/ntb_text.json": Expected(
        guid="urn:8d19cf88-b3ab-4972-8fec-1207599f2872",
        title="Google har kjøpt giganttomt i Skien",
        body="IT-giganten Google har kjøpt en tomt på nærmere 2.000 mål i Skien i tilfelle det blir beho",
        published="2019-08-09T09:30:04",
        updated="2019-08-09T09:46:53",
        language="nb-NO",
        version=6,
        note="Noe utvidet.",
        source="NTB",
        authors=("NTB",),
    ),
    f"{NINJS}/3.0/tt_text_image_3.json": Expected(
        guid="http://tt.se/media/text/210526-militarovning-a0f2d045",
        title="Militärövning i jätteformat hålls 2023",
        body="Försvar TT\n\nPandemin satte stopp för den stora internationella militärövningen Aurora 2020 förra",
        published="2021-05-26T11:40:18",
        language="sv",
        version=1,
        source="TT",
    ),
    f"{NINJS}/3.0/tt_event_pressconference_3.0.json": Expected(
        guid="http://tt.se/media/event/00ccd8e3-21a3-4386-b384-d3ba57122372",
        title="Pk med finansminister Elisabeth Svantesson kl 16",
        body="Torsdag 5 Oktober 2023, klockan 16:00",
        published="2023-10-05T12:10:33",
        updated="2023-10-05T12:27:32",
        language="sv",
        version=3,
        source="TT",
    ),
    f"{NINJS}/3.0/simpleEvent.json": Expected(
        guid="urn:newsml:addb.no:20110316:0002-ninjs3.0-addb--event-test",
        title="Tackling Doping in Sport Conference",
        body="The two-day Tackling Doping in Sport Conference took place at Twickenham Stadium on Wednes",
        published="2023-10-04T06:16:21",
        language="en",
        version=2,
        source="addb",
    ),
    f"{NINJS}/3.0/20231004-UEFA-ChampionLeague.json": Expected(
        guid="https://www.uefa.com/20231004-UEFA-ChampionsLeague",
        title="Champions League 2023/2024 - Group E - Atlético de Madrid-Feyenoord",
        body="Feyenoord met Atlético de Madrid on Estadio Metropolitano in Madrid on October 4, 2023 in",
        source="uefa.com",
    ),
    f"{NINJS}/3.0/20231008-{TOUR}-addb-ninjs-nitf.json": (
        Expected(
            guid=f"https://antidopingdatabase.com/news/{TOUR}",
            title="Anti-doping measures at the 'Tour Down Under' will be the toughest ever",
            body="The Australian Sports Anti-Doping Authority (ASADA) today announced a range of",
            published="2023-10-08T00:34:03",
            language="en",
            version=2,
            source="antidopingdatabase.com",
            authors=("Trond Husø",),
        )
    ),
    f"{NINJS}/2.1/imageLinkedRights.json": Expected(
        guid="http://example.agency.com/item/TG346285",
        title="MotoGP - Spain - Valentino Rossi",
        body="Valentino Rossi (46) of Italy and Petronas Yamaha SRT during the MotoGP test day at Circui",
        published="2013-07-08T08:12:00",
        source="example.agency.com",
        authors=("John Smith",),
    ),
    f"{NEWSML}/businesswire-newsml-20130515006361.xml": Expected(
        guid="urn:newsml:businesswire.com:20010714:20130515006361",
        title=DELL + " Workstations",
        body="Dell today announce",
        published="2013-05-16T04:01:00",
        language="en",
        version=1,
        source="Business Wire",
    ),
    f"{NEWSML}/businesswire-newsml-20130605006126.xml": Expected(
        guid="urn:newsml:businesswire.com:20010714:20130605006126",
        title=CAMBRIOS,
        body=CAMBRIOS_TEXT,
        published="2013-06-05T21:00:00",
        language="zh",
        version=1,
        source="Business Wire",
    ),
    f"{NEWSML}/businesswire-newsml-20130612006110.xml": Expected(
        guid="urn:newsml:businesswire.com:20010714:20130612006110",
        title=PULP,
        body=PULP_TEXT,
        published="2013-06-12T15:29:00",
        language="zh",
        version=1,
        source="Business Wire",
    ),
    f"{NEWSML}/businesswire-newsml-20130731006140.xml": Expected(
        guid="urn:newsml:businesswire.com:20010714:20130731006140",
        title=LUNCH,
        body=COMBOS,
        published="2013-07-31T15:32:00",
        language="en",
        version=1,
        source="Business Wire",
    ),
    f"{G2}/LISTING_1_A_NewsML-G2_News_Item.xml": Expected(
        guid="urn:newsml:acmenews.com:20161018:US-FINANCE-FED",
        title=FED,
        body=FED,
        published="2016-10-18T18:12:21",
        updated="2018-10-21T21:25:32",
        language="en-GB",
        version=11,
        held_until="2018-10-23T12:00:00",
        note=EMBARGOED,
        source="REUTERS",
        authors=("Meredith Jameson",),
    ),
    f"{G2}/LISTING_2_NewsML-G2_Text_Document.xml": Expected(
        guid="urn:newsml:acmenews.com:20161121:US-FINANCE-FED",
        title=FED,
        body=LOREM,
        published="2016-11-21T20:21:06",
        updated="2018-11-21T21:25:32",
        language="en-US",
        version=11,
        source="Acme News and Media LLC",
        authors=("Meredith Jameson",),
    ),
    f"{G2}/LISTING_3_Photo_in_NewsML-G2.xml": Expected(
        guid="tag:gettyimages.com,2010:GYI0062134533",
        title=LAS_VEGAS,
        body=DOWNTOWN,
        published="2010-10-20T20:58:00",
        updated="2018-10-12T06:42:04",
        language="en-US",
        version=11,
        source="Getty Images Inc.",
        authors=("Spencer Platt",),
    ),
    f"{G2}/LISTING_4_Multiple_Renditions_of_a_Video_in_NewsML-G2.xml": Expected(
        guid="urn:newsml:afp.com:20140131:CNG.3424d3807bc.391@video_1359566",
        title="SHOTLIST: KUWAIT.",
        body="SHOTLIST: KUWAIT. JANUARY 30, 2014. SOURCE: AFPTV -VAR inside the conference room",
        published="2014-01-30T13:29:38",
        updated="2018-10-31T10:37:23",
        language="en",
        version=11,
        source="AFP",
    ),
    f"{G2}/LISTING_5_Multi-part_Video_in_NewsML-G2.xml": Expected(
        guid="tag:example.com,2008:407624",
        title="Loriot retrospective",
        body=LORIOT,
        published="2008-11-06T10:22:28",
        updated="2018-10-19T10:54:04",
        language="en",
        version=11,
        note="Originally broadcast in Germany",
        source="European Broadcasting Union - EVN",
        authors=("Zweites Deutsches Fernsehen", "Reuters Television Ltd"),
    ),
    f"{G2}/LISTING_21_A_complete_sample_SportsML-G2_document.xml": Expected(
        guid="urn:newsml:sportsml.org:20160502:xt.prog.20150606005942-43710-16.068-event-stats-progressive",
        title="Troy Tulowitzki singled to third and advanced to second on Martin Prado's throwing error.",
        body="Troy Tulowitzki singled to third and advanced to second on Martin Prado's throwing error.",
        published="2015-06-06T04:59:42",
        language="en-US",
        version=1,
        source="XML Team Solutions, Inc.",
        authors=("The Sports Network, Inc.",),
    ),
    f"{G2}/LISTING_22_Sports_story_in_NewsML-G2NITF.xml": Expected(
        guid="tag:xmlteam.com,2016:xt.5932656-preview",
        title="Preview: Arizona Diamondbacks (29-23) at Philadelphia Phillies (26-24), 7:05 p.m.",
        body="(Sports Network) - A pair of teams coming off big weekend sweeps will square off tonight",
        published="2016-10-19T16:15:00",
        updated="2018-10-19T15:45:00",
        language="en-US",
        version=11,
        source="www.xmlteam.com",
        authors=("The Sports Network",),
    ),
    f"{G2}/LISTING_26_Embedded_photo_metadata_fields_mapped_to_NewsML-G2.xml": Expected(
        guid="tag:acmenews.com,2008:WORLD-NEWS:USA20081208098658",
        title="A firefighter walks past the remains of a military jet that crashed into homes",
        body="A firefighter in a flameproof suit walks past the remains of a military jet that crashed into homes",
        published="2008-12-09T01:30:00",
        updated="2018-10-19T02:20:00",
        language="en-US",
        version=11,
        source="acmenews",
        authors=("John Smith",),
    ),
    f"{G2}/LISTING_27_Company_Financial_Information.xml": Expected(
        guid="urn:newsml:acmenews.com:20161019:201003230594296001",
        title="Acme Widgets announces annual results",
        body="Acme Widgets (XTSE:AWG), a leader in the production of quality metal widgets, announced a six per cent",
        published="2016-10-19T13:15:00",
        updated="2018-10-19T14:23:00",
        language="en-US",
        version=11,
        source="www.acmenews.com",
    ),
    f"{G2}/Receiver View.xml": Expected(
        guid="urn:newsml:NAG.com:20161121:US-FINANCE-FED",
        title=FED,
        body="(New York, NY - November 21) Et, sent luptat luptat, commy Nim zzriureet vendreetue modo",
        published="2016-11-21T20:21:06",
        updated="2018-11-21T21:25:32",
        language="en-US",
        version=11,
        source="NAG",
        authors=("Meredith Jameson",),
    ),
    f"{G2}/facet-example-3.xml": Expected(
        guid="tag:example.com,2008:407624",
        title="Content goes here...",
        body="Content goes here...",
        published="2020-02-04T12:00:00",
        language="en",
        version=11,
        source="AcmeNews",
    ),
    f"{G2_SUITE}/2.12/should_pass/CR00155_add_derviedfrom_property.xml": Expected(
        guid="simplest-test",
        title="headline",
        body="headline",
        published="2020-06-22T09:00:00",
        language="en-GB",
        source="IPTC",
    ),
    f"{G2_SUITE}/2.26/should_pass/CR00201_charcount.xml": Expected(
        guid="simplest-test",
        title="Text",
        body="Line one of two.\n\nLine two of two.",
        published="2019-09-09T08:00:00",
        language="en-GB",
        source="reuters.com",
    ),
    f"{G2_SUITE}/2.27/should_pass/CR00204_newsline_confidence_relevance.xml": Expected(
        guid="simplest-test",
        title="head",
        body="desc",
        published="2019-09-09T08:00:00",
        language="en-GB",
        source="reuters.com",
    ),
}
