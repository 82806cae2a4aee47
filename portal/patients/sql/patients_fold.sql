-- Returns the text in lower case, without accents, letters and digits only, with one space between
-- words. Apostrophes, and characters that nobody sees, separate no words.
-- portal/patients/letters.py has the same rules, and says why each is there.
-- Text of plain English letters, which most names are, takes the short way.
CREATE OR REPLACE FUNCTION patients_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(value) = length(value) THEN
        btrim(regexp_replace(lower(translate(value, '''`', '') COLLATE "pg_c_utf8"),
            '[^a-z0-9]+' COLLATE "pg_c_utf8", ' ', 'g'))
    ELSE btrim(regexp_replace(
        replace(replace(replace(replace(translate(lower(regexp_replace(
            normalize(regexp_replace(translate(value, U&'\00B4\1FBD\1FBF\1FFD\1FFE', ''),
                '(.)[\u3005\u303B\u309D\u30FD]', '\1\1', 'g'), NFKD),
            '[^[:alnum:][:punct:][:space:][:cntrl:]]' || U&'|[''`\2018\2019\201B\2032\2035'
            || U&'\02B9-\02FF\055A\05F3\05F4\07F4\07F5\A78B\A78C'
            || U&'\0300-\036F\1DC0-\1DFF\2DE0-\2DFF\A674-\A67B\A69E\A69F'
            || U&'\05B0-\05BD\05BF\05C1\05C2\05C4\05C5\05C7\FB1E'
            || U&'\0610-\061A\0621\0640\064B-\065F\0670\0674\06D6-\06DC\06E1-\06E4\06E7\06E8\06ED'
            || U&'\08D4-\08DF\08E3-\08FF\0711\0730-\073F\115F\1160\3164]' COLLATE "pg_c_utf8",
            '', 'g') COLLATE "pg_c_utf8"),
            'øđħıłŧƀƃƈƌƒƙƚƞƥƫƭƴƶǥȡȥȴȵȶȷȼȿɀɇɉɋɍɏɓɕɖɗɟɠɦɨɫɬɭɱɲɳɼɽɾʂʄʈʋʐʑʝʠ'
            || 'ðŋĸɛɔəǝɣɩʊςґ'
            || U&'\0649\06CC\06D2\06A9\06C1\06BE\06D5\06C3\0629\0671\0672\0673\06BA'
            || 'ァアィイゥウェエォオカキクケコサシスセソタチッツテトナニヌネノハヒフヘホマミムメモャヤュユョヨ'
            || 'ラリルレロヮワヰヱヲンヵヶ髙﨑栁濵濱邉邊齋齊澤廣國櫻嶋'
            || '學實榮圓惠壽眞藏豐龍瀧澁萬與禮彌德繩條鐵關黑淸增莊峯冨舘槇嶌渕穗團强靜賴彥晉槪鄕黃藝龜𠮷曻桒惪寶應勳亞榘樂嶽卷堯囑拔',
            'odhiltbbcdfklnpttyzgdzlntjcszejqrybcddjghilllmnnrrrsjtvzzjq'
            || 'dnkeoaagiuσг'
            || U&'\064A\064A\064A\0643\0647\0647\0647\0647\0647\0627\0627\0627\0646'
            || 'ぁあぃいぅうぇえぉおかきくけこさしすせそたちっつてとなにぬねのはひふへほまみむめもゃやゅゆょよ'
            || 'らりるれろゎわゐゑをんゕゖ高崎柳浜浜辺辺斎斉沢広国桜島'
            || '学実栄円恵寿真蔵豊竜滝渋万与礼弥徳縄条鉄関黒清増荘峰富館槙島淵穂団強静頼彦晋概郷黄芸亀吉昇桑徳宝応勲亜矩楽岳巻尭嘱抜'),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '[^[:alnum:]]+' COLLATE "pg_c_utf8", ' ', 'g'))
    END
$$;
